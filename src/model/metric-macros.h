/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short forms for rows of the table of metrics; only the metric-table files
 * include this. A row reads: what it is and what it is called, whose family
 * switches it, which table it walks, with which labels; where its value lies.
 */
#pragma once

/* Labels by their place: L13 prints the first and the third. */
#define L0 0x00
#define L1 0x01
#define L12 0x03
#define L13 0x05
#define L123 0x07
#define L12345 0x1f

#define METRIC_HEAD(type_, name_, family_, table_, labels_)                    \
    .name = (name_), .type = METRIC_##type_, .family = FAMILY_##family_,       \
    .table = TABLE_##table_, .labels = (labels_)

#define VALUE(type_, name_, family_, table_, labels_, kind_, row_, member_,    \
              emit_)                                                           \
    METRIC_HEAD(type_, name_, family_, table_, labels_),                       \
        .kind = KIND_##kind_, .offset = offsetof(struct row_, member_),        \
        .emit = EMIT_##emit_

/* One value per name of VECTOR, under one more label. */
#define VECTOR(type_, name_, family_, table_, labels_, row_, member_, vector_, \
               emit_)                                                          \
    VALUE(type_, name_, family_, table_, labels_, VECTOR, row_, member_,       \
          emit_),                                                              \
        .vector = &(vector_)

#define HISTOGRAM(name_, family_, table_, labels_, row_, member_, bounds_)     \
    VALUE(HISTOGRAM, name_, family_, table_, labels_, HISTOGRAM, row_,         \
          member_, ALWAYS),                                                    \
        .bounds = &(bounds_)

/* 1 for each row. */
#define ONE(name_, family_, table_, labels_)                                   \
    METRIC_HEAD(GAUGE, name_, family_, table_, labels_), .kind = KIND_ONE
