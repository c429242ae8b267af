//! Where the figures were measured.

use blindrelay_kernels::Backend;
use serde::Serialize;

/// The features that matter to what is measured.
const FEATURES: [&str; 8] = ["avx2", "fma", "avx512f", "avx512dq", "avx512ifma", "aes", "vaes", "neon"];

/// The machine and the backend that a report is about.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The name the CPU gives itself.
    pub cpu: String,
    /// Those of its features that some backend or peer uses.
    pub features: Vec<String>,
    /// The instruction set of our side. Peers choose theirs by themselves.
    pub backend: String,
    /// How many threads every figure used.
    pub threads: usize,
    /// How many threads the machine has.
    pub available_threads: usize,
    /// Operating system and architecture.
    pub system: String,
}

impl Machine {
    /// Reads what the system says about its CPU.
    pub fn describe(backend: Backend) -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            info.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim().to_owned())
        };
        let listed = field("flags").or_else(|| field("Features")).unwrap_or_default();
        let features = FEATURES
            .iter()
            .filter(|&&feature| listed.split_whitespace().any(|listed| listed == feature))
            .map(|&feature| feature.to_owned())
            .collect();
        Self {
            cpu: field("model name").unwrap_or_else(|| "unknown CPU".to_owned()),
            features,
            backend: backend.name().to_owned(),
            threads: 1,
            available_threads: std::thread::available_parallelism().map_or(1, usize::from),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}
