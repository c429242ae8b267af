//! The same charges by integer arithmetic on the usage file: the second opinion of these tests, which knows the example's rates by heart.

use std::collections::BTreeMap;

use serde_json::Value;

/// 2026-11-16 00:00 UTC, when prices change.
const CHANGE: i64 = 1_794_787_200;

/// Prices before and after the change in 1/10,000 EUR a unit, and how many measured units make one.
const RATES: [(&str, [i128; 2], i128); 4] =
    [("audio", [40, 45], 60), ("video", [120, 115], 60), ("data", [850, 850], 1000), ("room", [3000, 3500], 3600)];

/// Usage of each tenant, item and half of the month.
pub(super) struct Month(BTreeMap<(String, &'static str, usize), i128>);

/// `YYYY-MM-DDThh:mm:ssZ` of November 2026.
fn moment(text: &str) -> i64 {
    assert!(text.starts_with("2026-11-") && text.ends_with('Z'), "{text}");
    let number = |at: usize| text[at..at + 2].parse::<i64>().unwrap();
    CHANGE + ((number(8) - 16) * 24 + number(11)) * 3600 + number(14) * 60 + number(17)
}

impl Month {
    /// Adds up a file with the columns tenant, item, time, quantity, join and leave.
    pub(super) fn of(csv: &str) -> Self {
        let mut sums = BTreeMap::new();
        for line in csv.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let item = RATES.iter().find(|(name, ..)| *name == fields[1]).unwrap().0;
            let mut add = |half: usize, amount: i64| {
                *sums.entry((fields[0].to_owned(), item, half)).or_insert(0) += i128::from(amount);
            };
            if item == "room" {
                let (join, leave) = (moment(fields[4]), moment(fields[5]));
                add(0, leave.min(CHANGE) - join.min(CHANGE));
                add(1, leave.max(CHANGE) - join.max(CHANGE));
            } else {
                add(usize::from(moment(fields[2]) >= CHANGE), fields[3].parse().unwrap());
            }
        }
        Self(sums)
    }

    /// Item, first day, quantity and cents of every line of a tenant's invoice.
    pub(super) fn amounts(&self, tenant: &str) -> Vec<(String, String, i128, i128)> {
        let mut lines = Vec::new();
        for (half, from) in ["2026-11-01", "2026-11-16"].into_iter().enumerate() {
            for (item, prices, unit) in RATES {
                let quantity = self.0.get(&(tenant.to_owned(), item, half)).copied().unwrap_or(0);
                let cents = round_half_even(quantity * prices[half], 100 * unit);
                lines.push((item.to_owned(), from.to_owned(), quantity, cents));
            }
        }
        lines
    }

    /// Cents of a tenant.
    pub(super) fn total(&self, tenant: &str) -> i128 {
        self.amounts(tenant).iter().map(|(.., cents)| cents).sum()
    }
}

fn round_half_even(numerator: i128, denominator: i128) -> i128 {
    let (whole, twice) = (numerator / denominator, 2 * (numerator % denominator));
    whole + i128::from(twice > denominator || (twice == denominator && whole % 2 == 1))
}

/// Item, first day, quantity and cents of every line of an invoice.
pub(super) fn amounts(invoice: &Value) -> Vec<(String, String, i128, i128)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |line: &Value| {
        let quantity = i128::from(line["quantity"].as_u64().unwrap());
        (text(&line["item"]), text(&line["from"]), quantity, cents(&line["amount"]))
    };
    invoice["lines"].as_array().unwrap().iter().map(line).collect()
}

/// `"12.34 EUR"` in cents.
pub(super) fn cents(amount: &Value) -> i128 {
    let text = amount.as_str().unwrap();
    let number = text.strip_suffix(" EUR").unwrap_or_else(|| panic!("{text}"));
    number.replace('.', "").parse().unwrap()
}
