//! Reports as JSON and as pages, of every statistic.

use blindrelay_analytics::{Contribution, Report, Stay};

use crate::rig::HOST;

fn reports() -> Vec<Report> {
    let mut attention = HOST.panel(r#"{"attention": {"slots": 3}}"#, 2);
    let mut speaking =
        HOST.panel(r#"{"speaking": {"participants": 3, "limit_seconds": 3600, "edges": [0, 60, 600]}}"#, 2);
    let mut durations = HOST.panel(r#"{"durations": {"limit_seconds": 7200, "edges": [0, 300, 900]}}"#, 2);
    let mut concurrency = HOST.panel(r#"{"concurrency": {"buckets": 90, "bucket_seconds": 60}}"#, 2);
    let mut correlation = HOST.panel(r#"{"correlation": {"x_limit": 10, "y_limit": 10}}"#, 2);
    for index in 0..4 {
        let part = f64::from(index) / 4.0;
        attention.add(&Contribution::attention(&attention.plan, &[Some(part), None, Some(0.5)]).unwrap());
        speaking.add(&Contribution::speaking(&speaking.plan, &[900.0 * part, 10.0, 200.0]).unwrap());
        durations.add(&Contribution::durations(&durations.plan, &[1000.0 * part]).unwrap());
        let stay = Stay { join: 600.0 * part, leave: 3000.0 + 1200.0 * part };
        concurrency.add(&Contribution::concurrency(&concurrency.plan, &[stay]).unwrap());
        correlation.add(&Contribution::correlation(&correlation.plan, &[(part, 2.0 - part * part)]).unwrap());
    }
    let names = ["Ada <admin>", "Grace & Hopper"];
    let panels = [attention, speaking, durations, concurrency, correlation];
    panels.iter().map(|panel| panel.report("Weekly \"sync\" <script>alert(1)</script>", &names)).collect()
}

#[test]
fn json_leads_back_to_the_report_and_every_figure_has_its_bound() {
    for report in reports() {
        let json = report.to_json().unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        assert_eq!(json.matches("\"value\"").count(), json.matches("\"bound\"").count());
        assert!(json.matches("\"bound\"").count() >= 3);
    }
}

/// Attributes such as `onload=`.
fn event_handlers(page: &str) -> usize {
    let follows = |rest: &&str| rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('=');
    page.split(" on").skip(1).filter(follows).count()
}

#[test]
fn pages_stand_alone_and_say_what_they_show() {
    for report in reports() {
        let page = report.to_html();
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">") && page.ends_with("</html>\n"));
        for outside in ["<script", "<iframe", "http-equiv=\"refresh\"", " src=", " href=", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(event_handlers(&page), 0);
        assert!(page.contains("Weekly &quot;sync&quot; &lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(!page.contains("<admin>"));
        let plots = page.matches("<svg ").count();
        assert!(plots >= 1);
        assert_eq!(page.matches("role=\"img\"").count(), plots);
        assert_eq!(page.matches("<desc ").count(), plots);
        for element in [
            "html", "head", "body", "main", "header", "footer", "svg", "table", "tr", "td", "th", "figure", "h2", "p",
            "text",
        ] {
            let opened = page.matches(&format!("<{element}>")).count() + page.matches(&format!("<{element} ")).count();
            assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
        }
        assert!(page.contains(&report.settings_digest) && page.contains(&report.request_digest));
        assert!(page.contains("From 4 encrypted contributions"));
    }
}

#[test]
fn names_stand_where_there_are_some_and_numbers_elsewhere() {
    let pages: Vec<String> = reports().iter().map(Report::to_html).collect();
    for page in pages.iter().take(2) {
        assert!(page.contains("Ada &lt;admin&gt;") && page.contains("Grace &amp; Hopper"));
    }
    assert!(pages[0].contains("Slot 3") && pages[1].contains("Participant 3"));
    assert!(pages[3].contains("0:35:00"));
}
