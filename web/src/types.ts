// SPDX-License-Identifier: GPL-2.0-or-later
//
// The records of the API, as doc/api.md has them. What may be absent is
// optional here, and absent is never 0.

export interface GpuCount {
  type: string;
  total: number;
  allocated: number;
}

export interface Node {
  name: string;
  address?: string;
  state: string;
  flags: string[];
  reason?: string;
  reason_user?: string;
  reason_time_s?: number;
  partitions: string[];
  cpus: number;
  cpus_allocated: number;
  cpu_load?: number;
  memory_mib: number;
  memory_allocated_mib: number;
  memory_free_mib?: number;
  gpus: GpuCount[];
  features?: string;
  boot_time_s?: number;
  slurmd_version?: string;
  exporter?: { state: string; answered_s?: number; error?: string };
}

export interface GpuJob {
  job?: string;
  user?: string;
  hidden?: boolean; // somebody else's, which Slurm keeps private
  holds: boolean;
  uses: boolean;
}

export interface Gpu {
  id: string;
  node: string;
  index: number;
  instance?: number;
  uuid?: string;
  model?: string;
  type?: string;
  profile?: string;
  state: string;
  trouble?: string;
  simulated?: boolean;
  utilization_percent?: number;
  memory_used_mib?: number;
  memory_total_mib?: number;
  temperature_c?: number;
  power_watts?: number;
  power_limit_watts?: number;
  last_xid?: number;
  allocated?: boolean;
  jobs?: GpuJob[];
  use: "free" | "busy" | "idle" | "foreign" | "unknown";
  idle_since_s?: number;
  available: boolean; // Slurm starts jobs on its node
}

export interface Advice {
  severity: string;
  text: string;
}

export interface Job {
  id: number;
  job: string;
  name: string;
  user: string;
  account?: string;
  partition: string;
  qos?: string;
  state: string;
  reason?: string;
  reason_text?: string;
  reason_detail?: string;
  submit_s?: number;
  eligible_s?: number;
  start_s?: number;
  end_s?: number;
  time_limit_s?: number;
  nodes?: string;
  node_count: number;
  cpus: number;
  memory_mib: number;
  gpus: number;
  gpu_type?: string;
  priority?: number;
  array_id?: number;
  task?: number;
  tasks?: number;
  restarts?: number;
  gpus_used?: number;
  gpus_idle?: number;
  idle_since_s?: number;
  gpu_utilization_percent?: number;
  cpus_used?: number;
  memory_used_mib?: number;
  gpu_memory_used_mib?: number;
  power_watts?: number;
  // Only of one job whole:
  tres?: string;
  dependency?: string;
  reservation?: string;
  licenses?: string;
  gpu_ids?: string[];
  advice?: Advice[];
  // Only of one that is over:
  efficiency?: {
    gpu_utilization_percent?: number;
    gpus_used?: number;
    gpu_memory_most_mib?: number;
    energy_wh?: number;
    cpus_used?: number;
    memory_most_mib?: number;
    gpus?: GpuUse[]; // those that it had
  };
}

export interface GpuUse {
  id: string;
  utilization_percent?: number;
}

export interface User {
  user: string;
  accounts: string[];
  running: number;
  pending: number;
  gpus_allocated: number;
  gpus_used?: number;
  gpus_held_idle?: number;
  cpus: number;
}

export interface Partition {
  name: string;
  state: string;
  default: boolean;
  nodes: number;
  cpus: number;
  cpus_allocated?: number;
  gpus: GpuCount[];
  running?: number;
  pending?: number;
  max_time_s?: number;
}

export interface Reservation {
  name: string;
  users: string[];
  accounts: string[];
  partition?: string;
  nodes?: string;
  node_count: number;
  cores: number;
  flags: string[];
  tres?: string;
  start_s?: number;
  end_s?: number;
}

export interface Qos {
  name: string;
  priority: number;
  usage_factor?: number;
  jobs_running: number;
  jobs_submitted: number;
  limits: { kind: string; resource: string; limit: number; used?: number }[];
}

export interface ClusterGpu extends GpuCount {
  free: number;
  unavailable: number;
  measured?: number;
  used?: number;
  held_idle?: number;
  free_on: { node: string; count: number }[];
}

export interface Problem {
  severity: "warning" | "critical";
  kind: string;
  node?: string;
  gpu?: string;
  text: string;
  since_s?: number;
}

export interface Cluster {
  hidden?: string[]; // kinds that Slurm keeps private, in its words
  version: number;
  time_s: number;
  name?: string;
  slurm_version?: string;
  simulated?: boolean;
  up: boolean;
  recording?: boolean; // not a live cluster
  reason?: string;
  snapshot_age_s?: number;
  nodes: { total: number; by_state: Record<string, number> };
  gpus: ClusterGpu[];
  jobs?: {
    running: number;
    pending: number;
    pending_by_reason: Record<string, number>;
    by_partition: {
      partition: string;
      running: number;
      pending: number;
      oldest_pending_s?: number;
    }[];
  };
  exporters?: { total: number; up: number };
  power_watts?: number;
  wasted?: {
    job: string;
    user?: string;
    gpus: number;
    gpus_idle: number;
    idle_since_s?: number;
  }[];
  problems: Problem[];
}

export interface Event {
  id: number;
  time_s: number;
  kind: string;
  severity: string;
  node?: string;
  gpu?: string;
  job?: number;
  text: string;
}

export interface SeriesAnswer {
  from_s: number;
  to_s: number;
  source: "store" | "prometheus";
  trouble?: string; // why this is not all there was
  series: {
    id: string;
    metric: string;
    from_s?: number;
    step_s?: number;
    values: (number | null)[];
  }[];
}

export interface HealthNode {
  name: string;
  failures: number;
  drains: number;
  xids: number;
  up_s: number;
  failed_s: number;
  drained_s: number;
  between_failures_s?: number;
}

export interface HealthAnswer {
  from_s: number;
  to_s: number;
  nodes: HealthNode[];
  spans?: { from_s: number; state: string }[]; // of one node
}

export interface Usage {
  user: string;
  jobs: number;
  gpu_hours: number;
  gpu_hours_measured: number;
  gpu_hours_used: number;
}
