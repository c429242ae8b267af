//! The report as a page: key figures, plots, a table of everything drawn, and where it comes from.

use std::fmt::Write;

use crate::report::Report;
use crate::sections::Sections;
use crate::text::escape;

const STYLE: &str = "\
:root{color-scheme:light}\
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:50rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.4rem 0}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}caption{text-align:left;font-weight:600;padding:.3rem 0}\
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #c8c8c8;vertical-align:top}\
td.number,th.number{text-align:right;white-space:nowrap}td:last-child,th:last-child{padding-right:0}thead th{border-bottom:2px solid #1a1a1a}\
figure{margin:1rem 0;break-inside:avoid}svg{width:100%;height:auto;font:13px system-ui,sans-serif}\
svg text{fill:#1a1a1a;paint-order:stroke;stroke:#fff;stroke-width:3px}svg .tick{fill:#4a4a4a;font-size:12px}svg .grid{stroke:#d0d0d0}svg .bar{fill:#1f5f8b}\
svg .line{fill:none;stroke:#1f5f8b;stroke-width:2}svg .band{fill:#1f5f8b;fill-opacity:.18}svg .error{fill:none;stroke:#b00020;stroke-width:1.5}\
footer{margin-top:2.5rem;font-size:.85rem;color:#3a3a3a}code{overflow-wrap:anywhere}\
@media (max-width:36rem){td.number{white-space:normal}}\
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}thead{display:table-header-group}}";

/// The whole page.
pub(crate) fn html(report: &Report) -> String {
    let Sections { summary, plots, heads, rows } = Sections::of(report);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1 dir=\"auto\">{0}</h1>\n\
         <p>From {1} encrypted contributions. Nobody but the holder of the key could compute these figures: the service added up what it could not read. \
         Every figure is followed by the most that it may be off.</p>\n</header>\n<main>\n",
        escape(&report.title),
        report.contributions
    );
    page.push_str("<h2>Figures</h2>\n<table>\n<tbody>\n");
    for (name, value) in summary {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td></tr>",
            escape(name),
            escape(&value)
        );
    }
    page.push_str("</tbody>\n</table>\n");
    for plot in plots {
        let _ = write!(page, "<figure>\n<figcaption><h2>{}</h2></figcaption>\n{}</figure>\n", escape(plot.0), plot.1);
    }
    if !rows.is_empty() {
        page.push_str("<h2>All values</h2>\n<table>\n<thead><tr>");
        for (index, head) in heads.iter().enumerate() {
            let class = if index == 0 { "" } else { " class=\"number\"" };
            let _ = write!(page, "<th scope=\"col\"{class}>{}</th>", escape(head));
        }
        page.push_str("</tr></thead>\n<tbody>\n");
        for (name, values) in rows {
            let _ = write!(page, "<tr><th scope=\"row\" dir=\"auto\">{}</th>", escape(&name));
            for value in values {
                let _ = write!(page, "<td class=\"number\">{}</td>", escape(&value));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody>\n</table>\n");
    }
    let _ = write!(
        page,
        "</main>\n<footer>\n<p>Statistic: {}, of at least {} contributions. Operator {} with the parameters {}.</p>\n\
         <p>Settings <code>{}</code>, request <code>{}</code> (SHA-256).</p>\n\
         <p>The bounds hold for what was contributed, except with probability 2<sup>-128</sup>. They do not say whether contributors \
         measured rightly.</p>\n</footer>\n</body>\n</html>\n",
        escape(report.settings.collect.name()),
        report.settings.minimum_contributions,
        escape(&report.operator),
        escape(&report.parameters),
        escape(&report.settings_digest),
        escape(&report.request_digest)
    );
    page
}
