//! Time and memory of one decision, in a process that does nothing else.

use std::time::Instant;

use blindrelay_kernels::Backend;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::decisions::Case;

/// What one decision takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Usage {
    /// The decision.
    pub name: String,
    /// Its parameters in words.
    pub parameters: String,
    /// How often it was made with each number of threads.
    pub repeats: usize,
    /// What was measured with one thread, then with two.
    pub runs: Vec<Run>,
    /// Resident bytes before the first run: the program, tables, keys, and what is stored.
    pub resident_bytes: u64,
    /// Whether the peaks include making keys and records: so where the system does not let a process begin a new peak.
    pub peaks_include_preparation: bool,
    /// Evaluation keys as they are uploaded.
    pub key_bytes_uploaded: usize,
    /// Evaluation keys in memory.
    pub key_bytes_expanded: usize,
    /// The answer.
    pub answer_bytes: usize,
}

/// What was measured with one number of threads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Threads.
    pub threads: usize,
    /// Seconds on the clock, the best of all repeats.
    pub seconds: f64,
    /// Most bytes that were resident at once, up to the end of the last repeat.
    pub peak_bytes: u64,
}

/// Prepares a decision in this process and makes it `repeats` times with one thread and with two.
pub fn measure(case: &Case, backend: Backend, repeats: usize) -> Result<Usage, Error> {
    let decision = case.prepare(backend)?;
    let (keys, repeats) = (decision.keys(), repeats.max(1));
    // A new peak begins at what is resident now (proc_pid_clear_refs(5)).
    let peaks_include_preparation = std::fs::write("/proc/self/clear_refs", "5").is_err();
    let resident_bytes = status("VmRSS")?;
    let (mut runs, mut answer_bytes) = (Vec::new(), 0);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let mut seconds = f64::INFINITY;
        for _ in 0..repeats {
            let start = Instant::now();
            answer_bytes = pool.install(|| decision.evaluate())?.len();
            seconds = seconds.min(start.elapsed().as_secs_f64());
        }
        runs.push(Run { threads, seconds, peak_bytes: status("VmHWM")? });
    }
    Ok(Usage {
        name: case.name.to_owned(),
        parameters: decision.parameters(),
        repeats,
        runs,
        resident_bytes,
        peaks_include_preparation,
        key_bytes_uploaded: keys.uploaded,
        key_bytes_expanded: keys.expanded,
        answer_bytes,
    })
}

/// A field of `/proc/self/status` in bytes; the system gives units of 1,024.
fn status(field: &'static str) -> Result<u64, Error> {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    kibibytes(&text, field).map(|count| 1024 * count).ok_or(Error::Memory { field })
}

fn kibibytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_their_whole_name() {
        let text = "Name:\tcircuits\nVmHWM:\t    1844 kB\nVmRSS:\t 12 kB\nThreads:\t1\n";
        assert_eq!(kibibytes(text, "VmHWM"), Some(1844));
        assert_eq!(kibibytes(text, "VmRSS"), Some(12));
        for absent in ["Vm", "VmPeak", "Threads"] {
            assert_eq!(kibibytes(text, absent), None, "{absent}");
        }
    }
}
