#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""prometheus.py URL bare FILE | board FILE | rules | value QUERY

Asks a Prometheus what dashboards would ask it, and prints what has no answer: a
query without a single finite number, or a rule that cannot be evaluated.

bare     each line of FILE, as it stands, has exactly one series
board    each query of a Grafana board has data, with its variables filled in by
         what Prometheus says of them, as Grafana does it
rules    each rule evaluates, and what is recorded has data
value    the number of a query's only series
"""
import json
import math
import re
import sys
import urllib.parse
import urllib.request


def api(path, **parameters):
    query = urllib.parse.urlencode(parameters, doseq=True)
    try:
        with urllib.request.urlopen(f"{URL}/api/v1/{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return {"result": [], "error": json.load(error)["error"]}


def numbers(expression):
    """The finite values of an instant query."""
    values = [float(series["value"][1]) for series in api("query", query=expression)["result"]]
    return [value for value in values if math.isfinite(value)]


def check_bare(path):
    with open(path, encoding="utf-8") as file:
        queries = [line.strip() for line in file if line.strip()]
    for query in queries:
        if len(numbers(query)) != 1:
            yield f"{query}: {len(numbers(query))} series"
    print(f"{len(queries)} queries", file=sys.stderr)


def variable_values(query):
    """What Grafana puts into the list of a variable label_values(SERIES, LABEL)."""
    match = re.fullmatch(r"label_values\((.*),\s*(\w+)\)", query)
    return api(f"label/{match[2]}/values", **{"match[]": match[1]})


def check_board(path):
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    chosen = {}

    def fill(text):
        return re.sub(r"\$\{?(\w+)\}?", lambda name: chosen[name[1]], text)

    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            continue
        values = variable_values(fill(variable["query"]))
        if not values:
            yield f"variable {variable['name']} has no values"
        chosen[variable["name"]] = "(" + "|".join(map(re.escape, values)) + ")"
        # PromQL wants the backslash escaped once more.
        chosen[variable["name"]] = chosen[variable["name"]].replace("\\", "\\\\")
    count = 0
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            count += 1
            if not numbers(fill(target["expr"])):
                yield f"{panel['title']}: {fill(target['expr'])}"
    print(f"{count} queries", file=sys.stderr)


def check_rules():
    rules = [rule for group in api("rules")["groups"] for rule in group["rules"]]
    for rule in rules:
        if rule["health"] != "ok":
            yield f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}"
        if rule["type"] == "recording" and not numbers(rule["name"]):
            yield f"{rule['name']}: nothing is recorded"
    if not rules:
        yield "there are no rules"
    print(f"{len(rules)} rules", file=sys.stderr)


def main():
    command, arguments = sys.argv[2], sys.argv[3:]
    if command == "value":
        (value,) = numbers(arguments[0])
        print(f"{value:.15g}")
        return
    checks = {"bare": check_bare, "board": check_board, "rules": check_rules}
    faults = list(checks[command](*arguments))
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


URL = sys.argv[1]
main()
