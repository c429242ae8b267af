//! The two columns, and the figures under them.

use super::step::Step;
use super::{Connection, Member, Report, Sighting, told};
use crate::printable::{count, grouped, name, pad, width, wrap};

/// With more participants than this, most of their rows are summed up in one.
const ROWS: usize = 12;
/// How many of them are shown then, at the beginning and at the end.
const SHOWN: (usize, usize) = (5, 2);

/// A row: what the relay saw, and what the members knew at that moment.
struct Row {
    left: String,
    right: String,
    /// Whether the row holds the point of it all.
    bright: bool,
}

/// The report for people, at most `columns` wide.
pub(in super::super) fn describe(report: &Report, columns: usize, colours: bool) -> String {
    let paint = Paint(colours);
    let mut lines = wrap(&heading(report), columns);
    lines.push(String::new());
    lines.extend(table(&rows(report), columns, paint));
    for paragraph in [figures(report), closing(report)] {
        lines.push(String::new());
        lines.extend(wrap(&paragraph, columns));
    }
    lines.join("\n")
}

fn heading(report: &Report) -> String {
    let title = if report.title.trim().is_empty() { "A meeting" } else { &report.title };
    format!(
        "{}: {}. {} arrives and looks for {}.",
        name(title),
        count(report.participants.len(), "participant"),
        name(&report.newcomer.name),
        name(&report.newcomer.looks_for)
    )
}

fn rows(report: &Report) -> Vec<Row> {
    let mut rows = Vec::new();
    let enrolments = report.participants.len();
    let mut seen = 0;
    let mut summed = (0, 0);
    // Requests of one kind that follow each other are one row.
    for group in report.relay.chunk_by(|a, b| a.step == b.step && a.step.gathers()) {
        let Some(sighting) = group.first() else { continue };
        let (right, bright) = match sighting.step {
            Step::Keys => (keys_row(), false),
            Step::Room => (room_row(report), false),
            Step::Enrolment(participant) => {
                seen += 1;
                let Some(member) = report.participants.get(participant) else { continue };
                let matches = report.newcomer.matches.iter().any(|found| found.handle == member.handle);
                let (first, last) = SHOWN;
                if enrolments > ROWS && seen > first && seen + last <= enrolments && !matches {
                    summed = (summed.0 + 1, summed.1 + sighting.request_bytes);
                    continue;
                }
                flush(&mut rows, &mut summed);
                (member_row(member), false)
            }
            Step::Match => {
                flush(&mut rows, &mut summed);
                let left = describe_all(group);
                rows.push(Row { left, right: question_row(report), bright: report.newcomer.matches.is_empty() });
                rows.extend(report.newcomer.matches.iter().map(|found| presentation(report, found)));
                continue;
            }
            Step::Meter => (told::meter(), false),
            Step::Batch => (told::batch(report), false),
            Step::Charges => (told::invoice(&report.charge), true),
            Step::HostKeys => (told::host_keys(), false),
            Step::Panel => (told::panels(report), false),
            Step::Contribution => (told::contributions(report), false),
            Step::Report(panel) => (report.panels.get(panel).map_or_else(String::new, told::findings), true),
            Step::Other => (String::new(), false),
        };
        rows.push(Row { left: describe_all(group), right, bright });
    }
    flush(&mut rows, &mut summed);
    rows
}

/// One request in full, several of one address with their bytes added up, others line by line.
fn describe_all(group: &[Sighting]) -> String {
    let kind = |sighting: &Sighting| {
        let path = sighting.path.split('/').map(|segment| if is_id(segment) { "…" } else { segment });
        (sighting.method.clone(), path.collect::<Vec<_>>().join("/"), sighting.status)
    };
    match group {
        [first, _, ..] if group.iter().all(|sighting| kind(sighting) == kind(first)) => {
            let (method, path, status) = kind(first);
            let [bytes_in, bytes_out] = group.iter().fold([0, 0], |[bytes_in, bytes_out], sighting| {
                [bytes_in + sighting.request_bytes, bytes_out + sighting.response_bytes]
            });
            let times = grouped(group.len());
            format!("{times} × {method} {path}\n{status}  in {} B  out {} B", grouped(bytes_in), grouped(bytes_out))
        }
        _ => group.iter().map(Sighting::describe).collect::<Vec<_>>().join("\n"),
    }
}

fn is_id(segment: &str) -> bool {
    segment.len() >= 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Closes a run of enrolments that are not shown one by one.
fn flush(rows: &mut Vec<Row>, summed: &mut (usize, usize)) {
    let (number, bytes) = std::mem::take(summed);
    if number > 0 {
        let left = format!("… {} more of the same kind, {} B in", grouped(number), grouped(bytes));
        let right = format!("… {} enrol their names in the same way", count(number, "participant"));
        rows.push(Row { left, right, bright: false });
    }
}

impl Sighting {
    fn describe(&self) -> String {
        let path: Vec<String> = self.path.split('/').map(abbreviate).collect();
        let body = |direction, bytes, digest: &str| match bytes {
            0 => String::new(),
            bytes => format!("  {direction} {} B {digest}", grouped(bytes)),
        };
        format!(
            "{} {}\n{}{}{}",
            self.method,
            path.join("/"),
            self.status,
            body("in", self.request_bytes, &self.request_digest),
            body("out", self.response_bytes, &self.response_digest)
        )
    }
}

/// Ids cut to eight digits.
fn abbreviate(segment: &str) -> String {
    let (id, query) = segment.split_once('?').map_or((segment, None), |(id, query)| (id, Some(query)));
    let id = if is_id(id) { format!("{}…", id.get(..8).unwrap_or(id)) } else { id.to_owned() };
    query.map_or_else(|| id.clone(), |query| format!("{id}?{query}"))
}

fn short(handle: &str) -> String {
    format!("{}…", handle.get(..8).unwrap_or(handle))
}

fn keys_row() -> String {
    "The members share a 32-byte secret that never leaves them. Keys made from it let the service compute; they open nothing.".to_owned()
}

fn room_row(report: &Report) -> String {
    format!(
        "A room for {}: whoever asks receives the ticket of whom they look for, and of nobody else.",
        report.operators[0]
    )
}

fn member_row(member: &Member) -> String {
    let label = member.label.as_ref().map_or_else(String::new, |label| format!(" ({})", name(label)));
    format!(
        "{}{label} enrols under that name with a ticket of 32 random bytes, and is given handle {}",
        name(&member.name),
        short(&member.handle)
    )
}

fn question_row(report: &Report) -> String {
    let learned = &report.newcomer;
    let (seeker, sought) = (name(&learned.name), name(&learned.looks_for));
    let begin = format!(
        "{seeker} looks for {sought}. Question and answer are encrypted, and the answer has one size whoever is in the room"
    );
    match learned.matches.as_slice() {
        [] => format!("{begin}. It opens to nothing: nobody in the room has that name."),
        [_] => format!("{begin}. It opens to one ticket."),
        several => {
            format!("{begin}. It opens to {} tickets: so many in the room have that name.", grouped(several.len()))
        }
    }
}

/// What is not a request to the service: the newcomer shows the relay a ticket.
fn presentation(report: &Report, found: &Connection) -> Row {
    let seeker = name(&report.newcomer.name);
    Row {
        left: format!("a ticket, SHA-256 {}\nconnect {}", short(&found.ticket_sha256), short(&found.handle)),
        right: format!(
            "{seeker} presents the ticket. The relay was told its SHA-256 at an enrolment, and connects {}.",
            short(&found.handle)
        ),
        bright: true,
    }
}

/// The lines of two columns between box lines.
fn table(rows: &[Row], columns: usize, paint: Paint) -> Vec<String> {
    let inner = columns.saturating_sub(7);
    let (left, right) = (inner / 2, inner - inner / 2);
    let over = |a, b, c| format!("{a}{}{b}{}{c}", "─".repeat(left + 2), "─".repeat(right + 2));
    let cells = |row: &Row| {
        let (lefts, rights) = (wrap(&row.left, left), wrap(&row.right, right));
        let cell = |lines: &[String], index: usize, columns| {
            let line = lines.get(index).map_or("", String::as_str);
            debug_assert!(width(line) <= columns, "wrapped lines fit their column");
            pad(line, columns)
        };
        let height = lefts.len().max(rights.len());
        (0..height).map(|index| (cell(&lefts, index, left), cell(&rights, index, right))).collect::<Vec<_>>()
    };
    let heads = Row {
        left: "what the relay saw".to_owned(),
        right: "what members, tenant and host know and learn".to_owned(),
        bright: false,
    };
    let mut lines = vec![over('┌', '┬', '┐')];
    lines.extend(cells(&heads).iter().map(|(a, b)| format!("│ {} │ {} │", paint.bold(a), paint.bold(b))));
    for row in rows {
        lines.push(over('├', '┼', '┤'));
        let right = |text: &str| if row.bright { paint.green(text) } else { text.to_owned() };
        lines.extend(cells(row).iter().map(|(a, b)| format!("│ {a} │ {} │", right(b))));
    }
    lines.push(over('└', '┴', '┘'));
    lines
}

fn figures(report: &Report) -> String {
    let (time, bytes) = (&report.timings_us, &report.bytes);
    let build = report.operators.iter().zip(report.parameters).map(|(operator, set)| format!("{operator} over {set}"));
    format!(
        "find    question encrypted {}, service {}, answer opened {}, round trip {}\n\
         charge  {} encrypted {}, invoice asked for, opened and checked {}\n\
         report  a contribution encrypted {}, {} asked for and opened {}\n\
         bytes   question {}, answer {}, readings {}, contribution {}\n\
         build   {} on {}\n\
         in all  {}, {} bytes through the relay, {}",
        micros(time.encrypt_probe.0),
        micros(time.service.0),
        micros(time.open.0),
        micros(time.round_trip.0),
        count(report.charge.readings, "reading"),
        micros(time.charge.encrypt.0),
        micros(time.charge.invoice.0),
        micros(time.statistics.encrypt.0),
        count(report.panels.len(), "report"),
        micros(time.statistics.reports.0),
        grouped(bytes.probe),
        grouped(bytes.answer),
        grouped(bytes.batches),
        grouped(bytes.contribution),
        build.collect::<Vec<_>>().join(", "),
        report.backend,
        count(report.relay.len(), "request"),
        grouped(bytes.through_the_relay),
        micros(time.whole_demonstration.0)
    )
}

fn micros(value: f64) -> String {
    if value < 1000.0 {
        format!("{value:.0} µs")
    } else if value < 1e6 {
        format!("{:.1} ms", value / 1000.0)
    } else {
        format!("{:.2} s", value / 1e6)
    }
}

fn closing(report: &Report) -> String {
    let decided = if report.newcomer.matches.is_empty() {
        "that nobody presents a ticket"
    } else {
        "which handle is connected once a ticket is presented"
    };
    format!(
        "The relay could tell sizes and times, how many are enrolled and {decided}. Joins, leaves and data it sees as they happen, and forgets once \
         they are encrypted. It could read no name, no question, no answer, no charge and no figure of a report."
    )
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
