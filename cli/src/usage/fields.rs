//! Fields of a line, and what is said of them where they cannot be meant.

use blindrelay_billing::{Item, RateCard};

use super::columns::Column;
use crate::printable::one_line;

/// What is wrong with a field, and what to do.
pub(super) struct Fault {
    pub(super) column: Column,
    pub(super) what: String,
    pub(super) advice: &'static str,
}

impl Fault {
    pub(super) fn new(column: Column, what: impl Into<String>, advice: &'static str) -> Self {
        Self { column, what: what.into(), advice }
    }
}

/// A field as messages show it: one line, cut to 40 characters.
pub(super) fn quoted(text: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(text).chars().take(40).collect();
    if text.is_empty() { "nothing".to_owned() } else { format!("'{}'", one_line(&text)) }
}

/// What is said of an item that the card does not have.
pub(super) fn unknown_item(name: &[u8], card: &RateCard) -> Fault {
    let known: Vec<&str> = card.items().iter().map(Item::name).take(8).collect();
    let more = if card.items().len() > known.len() { ", .." } else { "" };
    let what = format!("{} is not on the rate card, which has {}{more}", quoted(name), known.join(", "));
    Fault::new(Column::Item, what, "correct the name or add the item to the rate card")
}

/// A whole number up to the item's limit.
pub(super) fn quantity(text: &[u8], item: &Item) -> Result<i64, Fault> {
    let fault = |what: &str, advice| Fault::new(Column::Quantity, format!("{} {what}", quoted(text)), advice);
    let whole = "write whole numbers of the item's measured unit, such as 90";
    let digits = text.iter().all(u8::is_ascii_digit) && !text.is_empty();
    if !digits {
        let negative = text.strip_prefix(b"-").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit));
        return Err(if negative {
            fault("is negative", "correct the line; a credit is not usage")
        } else {
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
            if number.is_some_and(f64::is_finite) {
                fault("is not a whole number", whole)
            } else {
                fault("is not a number", whole)
            }
        });
    }
    let amount = text.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    match amount {
        Some(amount) if amount <= item.limit() => Ok(amount as i64),
        _ => {
            let what = format!("is above {}, the limit of item {} on one line", item.limit(), item.name());
            Err(fault(&what, "divide the line, or raise the limit in the rate card"))
        }
    }
}

/// Refuses a leave before its join, and a stay longer than the item's limit.
pub(super) fn check_interval(join: u64, leave: u64, item: &Item) -> Result<(), Fault> {
    let Some(seconds) = leave.checked_sub(join) else {
        let what = format!("it is {} s before join", join - leave);
        return Err(Fault::new(Column::Leave, what, "correct the line: a leave is not before its join"));
    };
    if seconds > item.limit() {
        let what = format!(
            "it is {seconds} s after join, above {}, the limit of item {} on one line",
            item.limit(),
            item.name()
        );
        return Err(Fault::new(Column::Leave, what, "divide the line, or raise the limit in the rate card"));
    }
    Ok(())
}
