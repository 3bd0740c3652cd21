//! The cases of `testdata/config`: each pipeline file with the diagnostics that it must give.

use std::path::{Path, PathBuf};

use super::*;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path.as_ref())).expect("the repository has this file")
}

#[test]
fn the_demo_loads() {
    let plan = load_settings(&root().join("pipelines/demo.yaml")).expect("the demo has no mistake");
    assert_eq!(plan.name(), "demo");
    assert_eq!(plan.network(), Network::Demo);
    assert_eq!(plan.crm().contacts.pattern(), root().join("testdata/demo/crm/contacts*.csv"));
    assert_eq!(plan.output().home, root().join("prosopon-home"));
}
