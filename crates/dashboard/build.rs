//! Rebuilds this crate when a file is added to `assets/`, because the crate embeds the folder.

fn main() {
    println!("cargo::rerun-if-changed=assets");
}
