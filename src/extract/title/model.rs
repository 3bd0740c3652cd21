//! A linear model over words and character n-grams: what an unseen title is probably about.
//!
//! Invariant: asked only where the vocabularies of our own say nothing; made by `cargo run --example train_titles`
//! from ESCO and O*NET names and our own labelled titles (see `config/taxonomy/title_model.yaml`).

use crate::taxonomy::JobFunction;

/// The number of hashed features.
pub const BUCKETS: usize = 1 << 15;
const CLASSES: usize = JobFunction::ALL.len();
/// Scale, then one bias a class, as little-endian `f32`; then `CLASSES` signed bytes a bucket.
const HEADER: usize = 4 * (1 + CLASSES);

static BYTES: &[u8] = include_bytes!("../../../config/taxonomy/title_model.bin");
const _: () = assert!(BYTES.len() == HEADER + BUCKETS * CLASSES, "the model has another shape");

/// Appends the features of a word: itself, and its n-grams of three to five bytes between marks of its ends.
pub(super) fn features(word: &str, out: &mut Vec<u32>) {
    let framed: Vec<u8> = [b"^", word.as_bytes(), b"$"].concat();
    out.push(bucket(b'w', &framed));
    for n in 3..=5 {
        out.extend(framed.windows(n).map(|g| bucket(b'g', g)));
    }
}

/// FNV-1a, folded to a bucket.
fn bucket(kind: u8, bytes: &[u8]) -> u32 {
    let step = |h: u64, b: &u8| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
    let h = bytes.iter().fold(step(0xcbf2_9ce4_8422_2325, &kind), step);
    ((h ^ (h >> 32)) % BUCKETS as u64) as u32
}

fn float(at: usize) -> f32 {
    f32::from_le_bytes(BYTES[4 * at..4 * at + 4].try_into().expect("four bytes"))
}

/// What each n-gram of the words adds to the log-odds of a function, greatest first; a gram that comes twice is one.
pub(super) fn weights(words: &[&str], function: JobFunction) -> Vec<(String, f64)> {
    let mut found: Vec<(String, i32)> = Vec::new();
    let mut count = 0;
    for word in words.iter().map(|w| if *w == "leitung" { "leiter" } else { w }) {
        let framed: Vec<u8> = [b"^", word.as_bytes(), b"$"].concat();
        let grams = (3..=5).flat_map(|n| framed.windows(n)).map(|g| (b'g', g));
        for (kind, gram) in std::iter::once((b'w', framed.as_slice())).chain(grams) {
            count += 1;
            let text = String::from_utf8_lossy(gram).into_owned();
            let at = HEADER + bucket(kind, gram) as usize * CLASSES + function as usize;
            let weight = i32::from(BYTES[at].cast_signed());
            match found.iter_mut().find(|f| f.0 == text) {
                Some(known) => known.1 += weight,
                None => found.push((text, weight)),
            }
        }
    }
    let unit = f64::from(float(0)) / f64::from(count.max(1)).sqrt();
    let mut found: Vec<(String, f64)> = found.into_iter().map(|(g, w)| (g, f64::from(w) * unit)).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found
}

/// What the features of one word add up to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    sums: [i32; CLASSES],
    features: usize,
}

/// Adds up the features of a word.
pub(super) fn sums(word: &str) -> Sums {
    // The noun of leading has a masculine and a neutral form.
    let word = if word == "leitung" { "leiter" } else { word };
    let mut found = Vec::with_capacity(64);
    features(word, &mut found);
    let mut sums = [0_i32; CLASSES];
    for f in &found {
        let at = HEADER + *f as usize * CLASSES;
        for (sum, w) in sums.iter_mut().zip(&BYTES[at..at + CLASSES]) {
            *sum += i32::from(w.cast_signed());
        }
    }
    Sums { sums, features: found.len() }
}

/// The most probable function of words, and its probability by the model.
pub(super) fn function<'w>(words: impl Iterator<Item = &'w Sums>) -> Option<(JobFunction, f64)> {
    let (mut sums, mut features) = ([0_i32; CLASSES], 0);
    for word in words {
        features += word.features;
        for (sum, w) in sums.iter_mut().zip(&word.sums) {
            *sum += w;
        }
    }
    if features == 0 {
        return None;
    }
    let unit = float(0) / (features as f32).sqrt();
    let scores: [f64; CLASSES] = std::array::from_fn(|c| f64::from(sums[c] as f32 * unit + float(c + 1)));
    let best = (0..CLASSES).max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a)))?;
    let all: f64 = scores.iter().map(|s| (s - scores[best]).exp()).sum();
    Some((JobFunction::ALL[best], 1.0 / all))
}
