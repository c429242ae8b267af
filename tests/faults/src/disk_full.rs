//! A disk that is full: a small file system of the service's own where the system allows one, else a limit on the size of its files.

use std::path::Path;
use std::time::Duration;

use rustix::process::Resource;

use crate::course::{self, Fault};
use crate::figures::Figures;
use crate::process;
use crate::service::{Service, Setup, fill};

/// Size of the file system, in MiB.
const SIZE: u64 = 96;
/// Largest file that is left where the limit is one of size: less than the database's log by then.
const LARGEST: u64 = 64 << 10;

/// Runs the fault for so long.
pub fn run(program: &Path, duration: Duration) -> Figures {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = folder.path().join("data");
    let mut setup = Setup::new(program, folder.path());
    let fault = |begin, end| Fault {
        begin,
        end,
        duration,
        code: "store-unavailable",
        ready: Some(200),
        limit: Duration::from_secs(30),
    };
    if Setup::can_mount() {
        setup.mounts =
            Some(format!("mkdir -p {0} && mount -t tmpfs -o size={SIZE}m,mode=0700 tmpfs {0}", disk.display()));
        // The file system is the service's own: from here it is seen through the process.
        let ballast = |service: &Service| {
            let inside = disk.strip_prefix("/").expect("an absolute path");
            Path::new("/proc").join(service.process().to_string()).join("root").join(inside).join("ballast")
        };
        let begin: Box<dyn FnOnce(&Service)> = Box::new(|service| {
            let path = ballast(service);
            let parent = path.parent().expect("a folder");
            let system = rustix::fs::statvfs(parent).expect("a file system");
            assert!(system.f_blocks * system.f_frsize <= SIZE << 20, "this is not the service's own file system");
            fill(&path, system.f_bavail * system.f_frsize).expect("there was so much space");
        });
        let end: Box<dyn FnOnce(&Service)> =
            Box::new(|service| std::fs::remove_file(ballast(service)).expect("the ballast is there"));
        let mut figures = course::run(setup.start(), fault(begin, end));
        figures.remark(format!("a file system of {SIZE} MiB was filled to its last block"));
        return figures;
    }
    // A process dies of a file that would become too large unless it ignores the signal.
    "trap '' XFSZ".clone_into(&mut setup.before);
    let begin: Box<dyn FnOnce(&Service)> = Box::new(|service| {
        process::limit(service.process(), Resource::Fsize, Some(LARGEST));
    });
    let end: Box<dyn FnOnce(&Service)> = Box::new(|service| {
        process::limit(service.process(), Resource::Fsize, None);
    });
    let mut figures = course::run(setup.start(), fault(begin, end));
    figures.remark("no file system could be mounted: a limit on the size of files stands for the full disk");
    figures
}
