//! What the system says about the process, where it has `/proc`.

use std::fs;

use serde::Serialize;

/// Memory and file descriptors of the process, shared by all services in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Process {
    /// Resident memory.
    pub(crate) resident_bytes: u64,
    /// Open file descriptors.
    pub(crate) open_descriptors: u64,
    /// Most of them that may be open; `None` for as many as there are.
    pub(crate) descriptor_limit: Option<u64>,
}

impl Process {
    /// `None` where the system does not say.
    pub(crate) fn read() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        // One of them is the directory that is being read.
        let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
        Some(Self {
            resident_bytes: kibibytes(&status, "VmRSS:")? << 10,
            open_descriptors: open as u64,
            descriptor_limit: soft_limit(&limits, "Max open files"),
        })
    }
}

fn kibibytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_writes_is_read() {
        assert_eq!(kibibytes("VmPeak:\t 9 kB\nVmRSS:\t  5120 kB\n", "VmRSS:"), Some(5120));
        assert_eq!(kibibytes("VmPeak:\t 9 kB\n", "VmRSS:"), None);
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024   4096   files\n";
        assert_eq!(soft_limit(limits, "Max open files"), Some(1024));
        assert_eq!(soft_limit("Max open files  unlimited  unlimited  files", "Max open files"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_opened_is_counted() {
        // Other tests of this process open and close files: of several tries one is undisturbed.
        let counted = || {
            let before = Process::read().unwrap();
            let _more: Vec<_> = (0..100).map(|_| fs::File::open("/proc/self/status").unwrap()).collect();
            Process::read().unwrap().open_descriptors >= before.open_descriptors + 50
        };
        assert!((0..20).any(|_| counted()));
        let now = Process::read().unwrap();
        assert!(now.resident_bytes > 1 << 20 && now.descriptor_limit.is_none_or(|limit| limit >= now.open_descriptors));
    }
}
