//! Rounds of killing: a process writes and prints what was acknowledged, is killed at some moment, and what it has left is compared with what it printed.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use blindrelay_storage::DurableStore;

use crate::check::Expected;
use crate::content;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The longest time between the first acknowledgement and the kill, in microseconds.
const LONGEST: u64 = 150_000;

/// What all rounds have found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    rounds: u32,
    pub(crate) acknowledged: u64,
    pub(crate) lost: u64,
    pub(crate) torn: u64,
    pub(crate) orphans: u64,
    pub(crate) slowest_open: Duration,
}

impl Found {
    /// An error where anything was lost or torn.
    pub(crate) fn faultless(&self) -> Outcome {
        if self.lost == 0 && self.torn == 0 { Ok(()) } else { Err("acknowledged writes were lost or torn".into()) }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rounds, {} acknowledged writes, {} lost, {} torn, {} orphans swept, slowest open {:.1} ms",
            self.rounds,
            self.acknowledged,
            self.lost,
            self.torn,
            self.orphans,
            self.slowest_open.as_secs_f64() * 1e3
        )
    }
}

/// Kills a process so many times.
pub(crate) fn run(rounds: u32) -> Outcome<Found> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut expected = runtime.block_on(async {
        let store = DurableStore::in_folder(folder.path()).await?;
        let expected = Expected::new(&store).await?;
        store.close().await;
        Outcome::Ok(expected)
    })?;
    let mut found = Found::default();
    for _ in 0..rounds {
        let lines = kill_a_writer(folder.path())?;
        runtime.block_on(expected.compare(folder.path(), &lines, &mut found))?;
        found.rounds += 1;
    }
    Ok(found)
}

/// Starts a writer, kills it some time after its first acknowledgement, and returns the lines that it printed as a whole.
fn kill_a_writer(folder: &Path) -> Outcome<Vec<String>> {
    let mut writer = Command::new(std::env::current_exe()?).arg("write").arg(folder).stdout(Stdio::piped()).spawn()?;
    let lines = lines_until_killed(&mut writer);
    // Also where something went wrong no process stays.
    let _ = writer.kill();
    writer.wait()?;
    lines
}

fn lines_until_killed(writer: &mut Child) -> Outcome<Vec<String>> {
    let mut output = BufReader::new(writer.stdout.take().ok_or("the writer has no output")?);
    let mut text = String::new();
    output.read_line(&mut text)?;
    let reader = std::thread::spawn(move || {
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut output, &mut rest).map(|_| rest)
    });
    std::thread::sleep(Duration::from_micros(content::random()? % LONGEST));
    writer.kill()?;
    let rest = reader.join().map_err(|_| "the reader of the writer's output panicked")??;
    text.push_str(&String::from_utf8(rest)?);
    // The last piece is empty, or a line that was cut off.
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    lines.pop();
    Ok(lines)
}
