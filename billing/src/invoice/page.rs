//! The invoice as a printable page: one self-contained HTML file without scripts.

use std::fmt::Write as _;

use blindrelay_engine::wire::content_digest;

use super::hexadecimal::text as hexadecimal;
use super::{Invoice, InvoiceLine};
use crate::money::group_thousands;
use crate::unit::{Dimension, Unit};

const STYLE: &str = include_str!("page.css");

/// Text with the characters that HTML gives a meaning to written as entities.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Lines of an address, one below the other; the first is the name.
fn address(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escape).collect();
    let (name, rest) = lines.split_first().map_or(("", [].as_slice()), |(name, rest)| (name.as_str(), rest));
    let separator = if rest.is_empty() { "" } else { "<br>" };
    format!("<strong>{name}</strong>{separator}{}", rest.join("<br>"))
}

/// The quantity as a person reads it: hours, minutes and seconds, or decimal units of data.
fn quantity(line: &InvoiceLine) -> String {
    let exact = format!("{} {}", group_thousands(&line.quantity.to_string()), line.measured.symbol());
    if line.measured == line.unit {
        return exact.trim_end().to_owned();
    }
    let smallest = u128::from(line.quantity) * u128::from(line.measured.size());
    let size = u128::from(line.unit.size());
    let (whole, rest) = (smallest / size, smallest % size);
    let whole_text = group_thousands(&whole.to_string());
    let shown = match line.unit.dimension() {
        Dimension::Time if line.unit == Unit::Hour => format!("{whole_text} h {:02} min {:02} s", rest / 60, rest % 60),
        Dimension::Time => format!("{whole_text} min {rest:02} s"),
        Dimension::Data | Dimension::Number => {
            let digits = size.ilog10() as usize;
            let decimals = format!("{rest:0digits$}");
            let decimals = decimals.trim_end_matches('0');
            let point = if decimals.is_empty() { "" } else { "." };
            format!("{whole_text}{point}{decimals} {}", line.unit.symbol())
        }
    };
    format!("{shown}<span class=\"exact\">{exact}</span>")
}

impl Invoice {
    /// The page.
    pub fn to_html(&self) -> String {
        let mut page = String::with_capacity(16 << 10);
        let title = format!("Invoice {}", escape(&self.details.number));
        page.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        let _ = writeln!(page, "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>");
        self.write_head(&mut page);
        self.write_lines(&mut page);
        self.write_totals(&mut page);
        self.write_evidence(&mut page);
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }

    fn write_head(&self, page: &mut String) {
        let details = &self.details;
        let _ = writeln!(page, "<header>\n<h1>Invoice</h1>\n<dl>");
        for (name, value) in [
            ("Number", escape(&details.number)),
            ("Date", details.issued.to_string()),
            ("Period", format!("{} to {}", self.from, self.until.previous())),
            ("Currency", self.currency.to_string()),
        ] {
            let _ = writeln!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
        let _ = writeln!(page, "</dl>\n</header>\n<section class=\"parties\">");
        for (role, party) in [("From", &details.supplier), ("To", &details.customer)] {
            let _ = writeln!(page, "<address><span>{role}</span>{}</address>", address(party));
        }
        page.push_str("</section>\n");
    }

    fn write_lines(&self, page: &mut String) {
        page.push_str(
            "<table class=\"lines\">\n<thead><tr><th>Item</th><th>Days</th><th class=\"number\">Quantity</th>",
        );
        page.push_str("<th class=\"number\">Price</th><th class=\"number\">Amount</th></tr></thead>\n<tbody>\n");
        if self.lines.is_empty() {
            page.push_str("<tr><td colspan=\"5\" class=\"none\">Nothing was charged in this period.</td></tr>\n");
        }
        for line in &self.lines {
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td class=\"days\"><span>{}</span> to <span>{}</span></td><td class=\"number\">{}</td><td class=\"number\">{}<span class=\"exact\">per {}</span></td><td class=\"number\">{}</td></tr>",
                escape(&line.label()),
                line.from,
                line.until.previous(),
                quantity(line),
                line.price,
                line.unit,
                line.amount.grouped()
            );
        }
        page.push_str("</tbody>\n</table>\n");
    }

    fn write_totals(&self, page: &mut String) {
        page.push_str("<table class=\"totals\">\n<tbody>\n");
        for subtotal in &self.subtotals {
            let (item, amount) = (escape(&subtotal.item), subtotal.amount.grouped());
            let _ = writeln!(page, "<tr><th>{item}</th><td class=\"number\">{amount}</td></tr>");
        }
        let _ = writeln!(
            page,
            "</tbody>\n<tfoot><tr><th>Total</th><td class=\"number\">{} {}</td></tr></tfoot>\n</table>",
            self.total.grouped(),
            self.currency
        );
        if !self.details.note.is_empty() {
            let note: Vec<String> = self.details.note.lines().map(escape).collect();
            let _ = writeln!(page, "<p class=\"note\">{}</p>", note.join("<br>"));
        }
    }

    fn write_evidence(&self, page: &mut String) {
        page.push_str("<section class=\"evidence\">\n<h2>How these amounts can be checked</h2>\n<p>");
        page.push_str(
            "Usage was metered in encrypted batches and charged without being decrypted. Every amount is the exact quantity times the price, rounded once to \
             the nearest minor unit (half to even). The digests below (SHA-256) lead from the batches to this page; anybody who has the batches and the rate card \
             can compute them again without a key.",
        );
        page.push_str("</p>\n");
        for evidence in &self.evidence {
            let _ = writeln!(
                page,
                "<dl>\n<div><dt>Days</dt><dd>{} to {}, {} {}</dd></div>",
                evidence.from,
                evidence.until.previous(),
                group_thousands(&evidence.batches.to_string()),
                if evidence.batches == 1 { "batch" } else { "batches" }
            );
            for (name, digest) in [
                ("Terms", evidence.opening),
                ("Batches", evidence.chain),
                ("Usage", evidence.usage),
                ("Charges", evidence.charge),
                ("Rates", evidence.rates),
            ] {
                // What a report does not have is named by the digest of no bytes.
                if digest != content_digest(&[]) {
                    let _ = writeln!(page, "<div><dt>{name}</dt><dd><code>{}</code></dd></div>", hexadecimal(&digest));
                }
            }
            page.push_str("</dl>\n");
        }
        let seal = hexadecimal(&self.seal);
        let _ = writeln!(page, "<dl><div><dt>Invoice</dt><dd><code>{seal}</code></dd></div></dl>\n</section>");
    }
}
