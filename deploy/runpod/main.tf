# SPDX-License-Identifier: GPL-2.0-or-later
#
# A Slurm cluster on Runpod: one head, some workers, and the volume that they share.
# deploy.sh applies it, and says how far it is.
#
# The pods reach each other over global networking, under POD_ID.runpod.internal; the
# join port, Slurm's and the metrics' are on that network alone. Public are the
# dashboard, behind Runpod's HTTPS proxy and a password, and, for shells, the head's
# sshd, which takes the keys of the account and nothing else.
#
# A volume and the pods that mount it are in one data center, and not all have global
# networking; the page of Runpod's documentation on it lists them.

terraform {
  required_version = ">= 1.6"

  required_providers {
    runpod = {
      source  = "runpod/runpod"
      version = "~> 2.0"
    }
  }
}

# The key of the account comes from RUNPOD_API_KEY.
provider "runpod" {}

variable "cluster" {
  description = "The cluster's name, with which the names of its pods begin"
  type        = string
  default     = "gpu-watchdog"
}

variable "image" {
  description = "The image of deploy/runpod/Dockerfile, where Runpod can pull it"
  type        = string
}

variable "workers" {
  description = "How many workers beside the head"
  type        = number
  default     = 1
}

variable "gpu" {
  description = "The GPUs of each pod, by Runpod's name of the type"
  type        = string
  default     = "NVIDIA A100 80GB PCIe"
}

variable "gpus" {
  description = "How many GPUs each pod has"
  type        = number
  default     = 1
}

variable "data_center" {
  description = "Where volume and pods are; one with global networking"
  type        = string
  default     = "US-KS-2"
}

variable "volume_gb" {
  description = "Room for homes and for the cluster's state"
  type        = number
  default     = 50
}

variable "password" {
  description = "Of the user admin of the dashboard; deploy.sh makes one"
  type        = string
  sensitive   = true
}

resource "runpod_network_volume" "shared" {
  name        = "${var.cluster}-shared"
  size        = var.volume_gb
  data_center = var.data_center
}

resource "runpod_pod" "head" {
  name              = "${var.cluster}-head"
  image             = var.image
  gpu_type_id       = var.gpu
  gpu_count         = var.gpus
  cloud             = "SECURE"
  disk              = 20
  data_center_ids   = [var.data_center]
  global_networking = true
  start_ssh         = true
  ports             = ["8080/http", "22/tcp"]

  network_volumes = [{
    volume_id = runpod_network_volume.shared.id
    path      = "/workspace"
  }]

  env = {
    ROLE          = "head"
    NAME          = var.cluster
    PASSWORD_HASH = bcrypt(var.password)
  }

  # bcrypt salts anew each time: that is no reason to change the pod.
  lifecycle {
    ignore_changes = [env]
  }
}

# Begun after the head, whose id they are told.
resource "runpod_pod" "worker" {
  count = var.workers

  name              = "${var.cluster}-worker-${count.index + 1}"
  image             = var.image
  gpu_type_id       = var.gpu
  gpu_count         = var.gpus
  cloud             = "SECURE"
  disk              = 20
  data_center_ids   = [var.data_center]
  global_networking = true
  ports             = []

  network_volumes = [{
    volume_id = runpod_network_volume.shared.id
    path      = "/workspace"
  }]

  env = {
    ROLE = "worker"
    NAME = "worker-${count.index + 1}"
    HEAD = runpod_pod.head.id
  }
}

output "head" {
  description = "The head's pod"
  value       = runpod_pod.head.id
}
