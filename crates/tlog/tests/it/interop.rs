//! The same log seen by another implementation: `tlog_tiles` and `signed_note` of Cloudflare's azul.

use std::fs;
use std::path::Path;

use prosopon_tlog::{Checkpoint, Frontier, Hash, Reader, cosign, verify, verify_consistency, verify_inclusion};
use signed_note::{Note, Signer as _, StandardSigner, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Tile, TileHashReader, TileReader};

use super::{ORIGIN, directory, grow, leaf, open, signer, vkey, witness};

struct Tiles<'a>(&'a Path);

impl TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            fs::read(self.0.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn theirs(hash: &Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(hash.0)
}

/// Root, proofs both ways, checkpoint and signature at this size.
fn check(dir: &Path, size: u64, older: &[Checkpoint]) -> Checkpoint {
    let reader = Reader::open(dir).expect("a log");
    let ours = reader.checkpoint();
    assert_eq!(ours.size(), size);

    let text = fs::read(dir.join("checkpoint")).expect("a file");
    let note = Note::from_bytes(&text).expect("a note");
    let verifier = StandardVerifier::new(&vkey().to_string()).expect("a key");
    let (verified, _) = note.verify(&VerifierList::new(vec![Box::new(verifier)])).expect("signatures");
    assert_eq!(verified.len(), 1);
    let parsed = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!((parsed.origin(), parsed.size(), *parsed.hash()), (ORIGIN, size, theirs(ours.root())));

    let tiles = Tiles(dir);
    let hashes = TileHashReader::new(size, theirs(ours.root()), &tiles);
    if size > 0 {
        assert_eq!(tlog_tiles::tree_hash(size, &hashes).expect("tiles"), theirs(ours.root()));
    }
    for index in [0, 1, size / 3, size / 2, size.saturating_sub(1)].into_iter().filter(|index| *index < size) {
        let hash = Hash::of_leaf(&leaf(index));
        let proof = reader.prove_inclusion(index).expect("tiles");
        verify_inclusion(&hash, index, size, &proof, ours.root()).expect("our proof");
        let theirs_proof = tlog_tiles::prove_record(size, index, &hashes).expect("tiles");
        assert_eq!(theirs_proof, proof.iter().map(theirs).collect::<Vec<_>>(), "leaf {index} of {size}");
        tlog_tiles::check_record(&theirs_proof, size, theirs(ours.root()), index, theirs(&hash)).expect("their proof");
    }
    for old in older.iter().filter(|old| old.size() > 0) {
        let proof = reader.prove_consistency(old.size()).expect("tiles");
        verify_consistency((old.size(), old.root()), (size, ours.root()), &proof).expect("our proof");
        let theirs_proof = tlog_tiles::prove_tree(size, old.size(), &hashes).expect("tiles");
        assert_eq!(theirs_proof, proof.iter().map(theirs).collect::<Vec<_>>(), "{} of {size}", old.size());
    }
    ours.clone()
}

#[test]
fn tiles_roots_and_proofs() {
    let home = directory();
    let mut log = open(home.path());
    let mut older: Vec<Checkpoint> = Vec::new();
    let mut frontier = Frontier::default();
    for size in [0, 1, 2, 3, 7, 100, 255, 256, 257, 300, 511, 512, 1000, 4999, 65_535, 65_536, 65_537, 66_100] {
        grow(&mut log, size);
        (frontier.size()..size).for_each(|number| frontier.push(Hash::of_leaf(&leaf(number))));
        let checkpoint = check(home.path(), size, &older);
        assert_eq!(*checkpoint.root(), frontier.root());
        older.push(checkpoint);
    }
    for since in &older {
        let report = verify(home.path(), &vkey(), Some(since), &[]);
        assert!(report.is_clean(), "{:?}", report.findings);
    }
    let reader = Reader::open(home.path()).expect("a log");
    for (range, step) in [(0..66_100, 1), (250..260, 1), (65_530..65_540, 1), (66_100..66_100, 1)] {
        let found = reader.leaves(range.clone()).expect("a range").step_by(step);
        for (number, found) in range.zip(found) {
            assert_eq!(found.expect("a leaf"), leaf(number));
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// Batches of any size, published at any time, by logs opened anew: always the tree of the leaves.
    #[test]
    fn random_batches(steps in proptest::collection::vec((0_u64..400, proptest::bool::ANY, proptest::bool::ANY), 1..8)) {
        let home = directory();
        let mut log = open(home.path()).segment_bytes(4_000);
        let mut frontier = Frontier::default();
        for (count, publish, reopen) in steps {
            let leaves: Vec<_> = (log.size()..log.size() + count).map(leaf).collect();
            log.append_batch(&leaves).expect("a disk");
            leaves.iter().for_each(|leaf| frontier.push(Hash::of_leaf(leaf)));
            proptest::prop_assert_eq!(*log.checkpoint().root(), frontier.root());
            if publish {
                log.publish().expect("a disk");
                check(home.path(), frontier.size(), &[]);
            }
            if reopen {
                log = open(home.path()).segment_bytes(4_000);
            }
        }
        let report = verify(home.path(), &vkey(), Some(log.checkpoint()), &[]);
        proptest::prop_assert!(report.is_clean(), "{:?}", report.findings);
        log.publish().expect("a disk");
        check(home.path(), frontier.size(), &[]);
    }
}

/// `cosignature/v1` as the specification words it, on their notes and keys.
struct TheirWitness(StandardSigner, StandardVerifier);

impl TheirWitness {
    fn new(name: &str, seed: [u8; 32]) -> Self {
        let encode = |bytes: &[u8]| data_encoding::BASE64.encode(&[&[1], bytes].concat());
        let ours = prosopon_tlog::Signer::from_seed(name, &seed).expect("a name");
        let id = data_encoding::HEXLOWER.encode(&ours.vkey().id());
        let skey = format!("PRIVATE+KEY+{name}+{id}+{}", encode(&seed));
        let signer = StandardSigner::new(&skey).expect("a key");
        Self(signer, StandardVerifier::new(&ours.vkey().to_string()).expect("a key"))
    }

    fn message(time: u64, text: &[u8]) -> Vec<u8> {
        [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat()
    }

    fn key_id(key: &[u8]) -> u32 {
        signed_note::key_id("example.com/dpo", &[&[4], key].concat())
    }
}

#[test]
fn cosignatures_in_both_directions() {
    let home = directory();
    grow(&mut open(home.path()), 70);
    let text = fs::read_to_string(home.path().join("checkpoint")).expect("a file");
    let theirs = TheirWitness::new("example.com/dpo", [4; 32]);
    let vkey = witness().vkey().to_string();
    let key = data_encoding::BASE64.decode(vkey.rsplit('+').next().expect("a part").as_bytes()).expect("base64");
    let id = TheirWitness::key_id(&key[1..]);
    let time = 1_679_315_147;

    // Ours, read by them.
    let cosigned = cosign(&text, &witness(), time).expect("a checkpoint");
    let note = Note::from_bytes(cosigned.as_bytes()).expect("a note");
    let line = cosigned.lines().last().expect("a line");
    let signature = signed_note::Signature::from_bytes(line.as_bytes()).expect("a signature");
    assert_eq!((signature.name(), signature.id()), ("example.com/dpo", id));
    let (stamp, bytes) = signature.signature().split_at(8);
    assert_eq!(stamp, time.to_be_bytes());
    assert!(theirs.1.verify(&TheirWitness::message(time, note.text()), bytes));

    // Theirs, read by us.
    let bytes = theirs.0.sign(&TheirWitness::message(time, note.text())).expect("a signature");
    let bytes = [time.to_be_bytes().as_slice(), &bytes].concat();
    let line = signed_note::Signature::new("example.com/dpo".to_owned(), id, bytes).expect("a name");
    let mut note = Note::from_bytes(text.as_bytes()).expect("a note");
    note = Note::new(
        note.text(),
        &[
            signed_note::Signature::from_bytes(text.lines().last().expect("a line").as_bytes()).expect("a signature"),
            line,
        ],
    )
    .expect("a note");
    let read: Checkpoint = String::from_utf8(note.to_bytes()).expect("UTF-8").parse().expect("a checkpoint");
    assert_eq!(read.cosigned_by(witness().vkey()), Ok(time));
    assert_eq!(read.signed_by(signer().vkey()), Ok(()));
    assert_eq!(read.to_string(), cosigned);
}
