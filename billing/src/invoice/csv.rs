//! The invoice as comma-separated values (RFC 4180): lines, subtotals and total, one record each.

use super::Invoice;

const COLUMNS: &str = "record,item,from,to,quantity,measured,price,per,amount,currency";

/// A field, quoted where it has to be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

impl Invoice {
    /// The invoice as CSV. Days are inclusive, quantities whole numbers of the measured unit, amounts in major units.
    pub fn to_csv(&self) -> String {
        let mut rows = vec![COLUMNS.to_owned()];
        for line in &self.lines {
            rows.push(format!(
                "line,{},{},{},{},{},{},{},{},{}",
                field(&line.label()),
                line.from,
                line.until.previous(),
                line.quantity,
                line.measured,
                line.price,
                line.unit,
                line.amount.decimal(),
                self.currency
            ));
        }
        let (from, to, currency) = (self.from, self.until.previous(), self.currency);
        for subtotal in &self.subtotals {
            let (item, amount) = (field(&subtotal.item), subtotal.amount.decimal());
            rows.push(format!("subtotal,{item},{from},{to},,,,,{amount},{currency}"));
        }
        rows.push(format!("total,,{from},{to},,,,,{},{currency}", self.total.decimal()));
        rows.push(String::new());
        rows.join("\r\n")
    }
}
