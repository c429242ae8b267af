#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    blindrelay_fuzz_targets::operators::run(bytes);
});
