//! What the system says of a process, and how its limits are changed while it runs (Linux).

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// Ticks of the clock in `/proc` a second: `USER_HZ`, 100 on every architecture that Rust runs on.
const TICKS: f64 = 100.0;

fn status(process: u32, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = text.lines().find_map(|line| line.strip_prefix(field)).expect("a field of every process");
    line.trim_start_matches(':').split_whitespace().next().expect("a number").parse().expect("a number")
}

/// The most memory that a process had at any time, in bytes (`VmHWM`).
pub fn peak_memory(process: u32) -> u64 {
    status(process, "VmHWM") << 10
}

/// The processor time that a process has used, of all its threads, in user and system mode.
pub fn processor_time(process: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process runs");
    // The name in parentheses may have spaces in it.
    let (_, rest) = text.rsplit_once(')').expect("a name");
    let ticks = rest.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("a number"));
    Duration::from_secs_f64(ticks.sum::<u64>() as f64 / TICKS)
}

/// Open descriptors of a process.
pub fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).expect("the process runs").count()
}

/// Raises this process's soft limit of open descriptors to the hard one, and tells it.
pub fn raise_descriptor_limit() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("the hard limit is allowed");
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Changes the soft limit of a running process, and tells what it was.
pub fn limit(process: u32, resource: Resource, most: Option<u64>) -> Option<u64> {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process");
    let before = prlimit(Some(pid), resource, Rlimit { current: most, maximum: hard(process, resource) });
    before.expect("a process of this user").current
}

fn hard(process: u32, resource: Resource) -> Option<u64> {
    let row = match resource {
        Resource::Nofile => "Max open files",
        Resource::Fsize => "Max file size",
        _ => unreachable!("no other limit is changed"),
    };
    let text = fs::read_to_string(format!("/proc/{process}/limits")).expect("the process runs");
    let line = text.lines().find_map(|line| line.strip_prefix(row)).expect("a limit of every process");
    line.split_whitespace().nth(1).expect("a hard limit").parse().ok()
}
