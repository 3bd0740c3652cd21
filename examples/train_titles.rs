//! Trains `config/taxonomy/title_model.bin`: job functions by words and character n-grams.
//!
//! Invariant: a pure function of the data sets, the labelled titles and the constants below (fixed order, fixed
//! seed): run it again and the file is equal. Every tenth name is held out and its figures are printed.
//!
//! `cargo run --release --example train_titles -- ../shared/data testdata/title/train.tsv OUT.bin`

use std::path::Path;

use prosopon::extract::title::{MODEL_BUCKETS, TitleReader};
use prosopon::taxonomy::JobFunction;

mod occupations;

const CLASSES: usize = JobFunction::ALL.len();
const EPOCHS: usize = 10;
const RATE: f32 = 0.8;
const DECAY: f32 = 1e-6;
/// How often a labelled title of ours counts.
const OWN: usize = 8;
/// No function may outweigh another more than this by its number of names.
const MOST: usize = 6_000;

struct Row {
    features: Vec<u32>,
    class: usize,
}

struct Weights {
    /// `CLASSES` weights a bucket.
    w: Vec<f32>,
    bias: [f32; CLASSES],
}

impl Weights {
    fn scores(&self, features: &[u32]) -> [f32; CLASSES] {
        let unit = 1.0 / (features.len() as f32).sqrt();
        let mut sums = self.bias;
        for f in features {
            let at = *f as usize * CLASSES;
            sums.iter_mut().zip(&self.w[at..at + CLASSES]).for_each(|(s, w)| *s += w * unit);
        }
        sums
    }

    fn learn(&mut self, row: &Row, rate: f32) {
        let unit = 1.0 / (row.features.len() as f32).sqrt();
        let mut p = softmax(self.scores(&row.features));
        p[row.class] -= 1.0;
        for (b, g) in self.bias.iter_mut().zip(&p) {
            *b -= rate * 0.1 * g;
        }
        for f in &row.features {
            let at = *f as usize * CLASSES;
            for (w, g) in self.w[at..at + CLASSES].iter_mut().zip(&p) {
                *w -= rate * (g * unit + DECAY * *w);
            }
        }
    }
}

fn softmax(mut s: [f32; CLASSES]) -> [f32; CLASSES] {
    let top = s.iter().copied().fold(f32::MIN, f32::max);
    for x in &mut s {
        *x = (*x - top).exp();
    }
    let all: f32 = s.iter().sum();
    s.map(|x| x / all)
}

/// A small fixed generator (SplitMix64): shuffles alike everywhere.
fn shuffle(rows: &mut [Row], seed: u64) {
    let mut state = seed;
    for i in (1..rows.len()).rev() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        rows.swap(i, ((z ^ (z >> 31)) % (i as u64 + 1)) as usize);
    }
}

fn row(title: &str, function: JobFunction) -> Option<Row> {
    let features = TitleReader::model_features(title);
    (!features.is_empty()).then_some(Row { features, class: function as usize })
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [data, own, out] = &args[..] else { anyhow::bail!("usage: train_titles DATA OWN.tsv OUT.bin") };
    let (mut train, mut held) = (Vec::new(), Vec::new());
    let names = occupations::names(Path::new(data))?;
    let mut seen = [0_usize; CLASSES];
    for (i, (name, f)) in names.iter().enumerate() {
        let Some(r) = row(name, *f) else { continue };
        seen[r.class] += 1;
        if i % 10 == 0 { &mut held } else { &mut train }.push(r);
    }
    shuffle(&mut train, 1);
    let mut kept = [0_usize; CLASSES];
    train.retain(|r: &Row| {
        kept[r.class] += 1;
        kept[r.class] <= MOST
    });
    for line in std::fs::read_to_string(own)?.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let Ok(f) = cells[1].parse() else { continue };
        (0..OWN).for_each(|_| train.extend(row(cells[0], f)));
    }
    let mut weights = Weights { w: vec![0.0; MODEL_BUCKETS * CLASSES], bias: [0.0; CLASSES] };
    for epoch in 0..EPOCHS {
        shuffle(&mut train, 7 + epoch as u64);
        let rate = RATE * (1.0 - epoch as f32 / EPOCHS as f32);
        for r in &train {
            weights.learn(r, rate);
        }
    }
    let top = |r: &Row| {
        let p = softmax(weights.scores(&r.features));
        (0..CLASSES).map(|c| (c, p[c])).max_by(|a, b| a.1.total_cmp(&b.1)).expect("classes")
    };
    for least in [0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] {
        let said: Vec<_> = held.iter().map(|r| (r.class, top(r))).filter(|(_, t)| t.1 >= least).collect();
        let right = said.iter().filter(|(c, t)| *c == t.0).count();
        let mean: f32 = said.iter().map(|(_, t)| t.1).sum::<f32>() / said.len().max(1) as f32;
        eprintln!(
            "p >= {least}: {:.3} of {} held-out names, {:.3} right, {mean:.3} said",
            said.len() as f64 / held.len() as f64,
            held.len(),
            right as f64 / said.len().max(1) as f64
        );
    }
    std::fs::write(out, bytes(&weights))?;
    eprintln!("{} training rows of {} names", train.len(), names.len());
    Ok(())
}

fn bytes(weights: &Weights) -> Vec<u8> {
    // The few greatest weights are cut rather than coarsen all others.
    let mut sizes: Vec<f32> = weights.w.iter().map(|w| w.abs()).filter(|w| *w > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    let top = sizes.get(sizes.len() * 999 / 1000).copied().unwrap_or(1.0);
    let scale = top / 127.0;
    let mut out = scale.to_le_bytes().to_vec();
    weights.bias.iter().for_each(|b| out.extend(b.to_le_bytes()));
    out.extend(weights.w.iter().map(|w| (w / scale).round().clamp(-127.0, 127.0) as i8 as u8));
    out
}
