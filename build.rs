//! Embeds `testdata/demo/web` into the binary as a list of (host, path, bytes), and tells it which reader of pages it has.
//!
//! Invariant: lists are sorted, so that two builds of one tree are equal.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let web = root.join("testdata/demo/web");
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    collect(&web, &mut files)?;
    files.sort();
    let mut list =
        String::from("/// Every file of the demo web, by host and path.\npub(crate) static ASSETS: &[Asset] = &[\n");
    for file in &files {
        let below = file.strip_prefix(&web).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        let Some((host, path)) = below.split_once('/') else { continue };
        let path = format!("/{path}");
        let file = file.to_string_lossy();
        writeln!(list, "    Asset {{ host: {host:?}, path: {path:?}, body: include_bytes!({file:?}) }},")
            .map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(out.join("demo_web.rs"), list)?;
    println!("cargo:rustc-env=PROSOPON_READER={:016x}", reader(&root)?);
    Ok(())
}

/// Tells two readers of pages apart: what is kept of pages is of use to the very same one only. It is no proof of anything.
fn reader(root: &Path) -> io::Result<u64> {
    let mut files = Vec::new();
    for part in ["config", "src/extract", "src/identity", "src/model", "src/source", "src/taxonomy"] {
        collect(&root.join(part), &mut files)?;
    }
    // Pages say no in words that `fetch/headers` knows; which parsers they are read with, the lock file says.
    let files_alone =
        ["src/ids.rs", "src/model.rs", "src/safe_text.rs", "src/taxonomy.rs", "src/fetch/headers.rs", "Cargo.lock"];
    for file in files_alone {
        println!("cargo:rerun-if-changed={}", root.join(file).display());
        files.push(root.join(file));
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        file.strip_prefix(root).map_err(io::Error::other)?.hash(&mut hasher);
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Adds the files below `folder`; each folder is watched, so that a new file is seen too.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            println!("cargo:rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}
