//! The `prosopon` program: command line in, exit code out. The only place that asks the system for the time.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use jiff::Timestamp;
use prosopon::cli::{Cli, exit};
use prosopon::consent::gate::Clock;

/// A run makes and drops rows by the million, in one thread and in many; the system's allocator spends a third of the
/// time of a night without fetches on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Huge pages are cleared whole and used in part: a sixth of the time and of the memory of a night without fetches.
    // Where they cannot be turned off all works the same.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let cli = Cli::parse();
    let json = cli.logs_json();
    #[expect(clippy::disallowed_methods, reason = "the wall clock enters the program here and nowhere else")]
    let clock: Clock = Arc::new(Timestamp::now);
    match cli.execute(&clock) {
        Ok(code) => code,
        Err(error) => {
            // A reader that went away (`| head`) is no failure of ours.
            if exit::is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            exit::report(&error, json);
            exit::code_of(&error)
        }
    }
}
