#!/usr/bin/env python3
"""Computes the invoices of a usage file in integers and compares them with what blindrelay wrote. It shares no code with blindrelay.

    verify_invoices.py USAGE.csv RATES.toml INVOICES_FOLDER

For cards with public prices and usage with the columns tenant, item, time (RFC 3339) and quantity. Needs Python 3.11 and nothing else.
"""

import collections
import csv
import json
import pathlib
import sys
import tomllib
from fractions import Fraction

# How many measured units are one unit that has a price.
UNITS = {("second", "minute"): 60, ("second", "hour"): 3600, ("megabyte", "gigabyte"): 1000}


def half_to_even(amount):
    whole = amount.numerator // amount.denominator
    rest = amount - whole
    return whole + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1))


def main(usage_file, rates_file, folder):
    items = {item["name"]: item for item in tomllib.loads(pathlib.Path(rates_file).read_text())["items"]}
    usage = collections.Counter()
    with open(usage_file, newline="") as lines:
        rows = csv.reader(lines)
        names = next(rows)
        tenant, item, time, quantity = (names.index(name) for name in ("tenant", "item", "time", "quantity"))
        for row in rows:
            usage[row[tenant], row[item], row[time][:10]] += int(row[quantity])
    days = collections.defaultdict(dict)
    for (tenant, item, day), quantity in usage.items():
        days[tenant, item][day] = quantity

    wrong, total = 0, 0
    invoices = sorted(pathlib.Path(folder).glob("*.json"))
    for path in invoices:
        invoice, left = json.loads(path.read_text()), collections.Counter()
        for (tenant, item), found in days.items():
            if tenant == path.stem:
                left[item] = sum(found.values())
        sum_of_lines = 0
        for line in invoice["lines"]:
            item = items[line["item"]]
            found = days[path.stem, line["item"]]
            quantity = sum(count for day, count in found.items() if line["from"] <= day < line["until"])
            price = [entry["price"] for entry in item["prices"] if str(entry["from"]) <= line["from"]][-1]
            divisor = UNITS.get((item.get("measured", item["unit"]), item["unit"]), 1)
            cents = half_to_even(quantity * Fraction(price) * 100 / divisor)
            expected = (quantity, f"{cents // 100}.{cents % 100:02}")
            shown = (line["quantity"], line["amount"].split()[0])
            if shown != expected:
                wrong += 1
                print(f"{path.name}: {line['item']} from {line['from']}: {shown} instead of {expected}")
            left[line["item"]] -= quantity
            sum_of_lines += cents
        if any(left.values()) or invoice["total"].split()[0] != f"{sum_of_lines // 100}.{sum_of_lines % 100:02}":
            wrong += 1
            print(f"{path.name}: usage without a line, or a total that is not the sum of the lines")
        total += sum_of_lines
    missing = {tenant for tenant, _ in days} - {path.stem for path in invoices}
    print(f"{len(invoices)} invoices, {wrong} wrong, {len(missing)} missing, {total // 100}.{total % 100:02} in all")
    return 1 if wrong or missing else 0


if len(sys.argv) != 4:
    sys.exit(__doc__)
sys.exit(main(*sys.argv[1:]))
