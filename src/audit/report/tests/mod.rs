//! Each report finds the one violation that a test seeds, and nothing in a clean history.

mod answers;
mod clean;
mod seeded;

use super::fixtures::{World, at};

/// Six contacts, two runs a day apart.
fn clean() -> World {
    let mut world = World::new(6);
    for (name, day) in [("a", 2), ("b", 3)] {
        world.import(&[], at(&format!("2026-03-0{day}T02:00:00Z")));
        world.run(name, at(&format!("2026-03-0{day}T03:00:00Z")));
    }
    world
}
