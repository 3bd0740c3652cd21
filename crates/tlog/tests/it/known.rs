//! Figures that others have published.

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use prosopon_tlog::{
    Checkpoint, Frontier, Hash, KeyError, Nodes, NoteError, ProofError, Signer, Vkey, prove_consistency,
    prove_inclusion, root, verify_consistency, verify_inclusion,
};

/// A tree in memory.
struct Tree(Vec<Hash>);

impl Nodes for Tree {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        if level == 0 {
            return Ok(self.0[index as usize]);
        }
        Ok(Hash::of_node(&self.node(level - 1, index * 2)?, &self.node(level - 1, index * 2 + 1)?))
    }
}

fn hash(text: &str) -> Hash {
    Hash(HEXLOWER.decode(text.as_bytes()).expect("hex").try_into().expect("32 bytes"))
}

#[test]
fn tree_of_the_certificate_transparency_project() {
    let mut tree = Tree(Vec::new());
    for line in include_str!("../../testdata/rfc6962.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<_> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        match words[0] {
            "leaf" => {
                let leaf = HEXLOWER.decode(words.get(1).unwrap_or(&"").as_bytes()).expect("hex");
                tree.0.push(Hash::of_leaf(&leaf));
            }
            "root" => {
                let mut frontier = Frontier::default();
                tree.0[..number(1) as usize].iter().for_each(|leaf| frontier.push(*leaf));
                assert_eq!(frontier.root(), hash(words[2]), "{line}");
                assert_eq!(root(&mut tree, number(1)), Ok(hash(words[2])), "{line}");
            }
            "inclusion" => {
                let proof: Vec<_> = words[3..].iter().copied().map(hash).collect();
                assert_eq!(prove_inclusion(&mut tree, number(1), number(2)), Ok(proof), "{line}");
            }
            "consistency" => {
                let proof: Vec<_> = words[3..].iter().copied().map(hash).collect();
                assert_eq!(prove_consistency(&mut tree, number(1), number(2)), Ok(proof), "{line}");
            }
            kind => panic!("{kind} is not a kind"),
        }
    }
}

proptest! {
    /// Each proof verifies; with anything changed it does not.
    #[test]
    fn proofs(size in 1_u64..300, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>()) {
        let mut tree = Tree((0..size).map(|number| Hash::of_leaf(&number.to_be_bytes())).collect());
        let of = |tree: &mut Tree, size| root(tree, size).expect("a tree in memory");
        let whole = of(&mut tree, size);
        let index = a.index(size as usize) as u64;
        let leaf = tree.0[index as usize];
        let proof = prove_inclusion(&mut tree, index, size).expect("a tree in memory");
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &whole), Ok(()));
        let other = b.index(size as usize) as u64;
        prop_assert_eq!(verify_inclusion(&leaf, other, size, &proof, &whole).is_ok(), other == index);
        let old = b.index(size as usize) as u64 + 1;
        let old_root = of(&mut tree, old);
        let extends = prove_consistency(&mut tree, old, size).expect("a tree in memory");
        prop_assert_eq!(verify_consistency((old, &old_root), (size, &whole), &extends), Ok(()));
        if !proof.is_empty() {
            let mut changed = proof.clone();
            let at = flip.index(proof.len());
            changed[at].0[7] ^= 1;
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &changed, &whole), Err(ProofError::Root));
            changed.remove(at);
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &changed, &whole), Err(ProofError::Length));
        }
        if !extends.is_empty() {
            let mut changed = extends.clone();
            let at = flip.index(extends.len());
            changed[at].0[7] ^= 1;
            prop_assert_eq!(verify_consistency((old, &old_root), (size, &whole), &changed), Err(ProofError::Root));
            changed.remove(at);
            prop_assert_eq!(verify_consistency((old, &old_root), (size, &whole), &changed), Err(ProofError::Length));
        }
    }

    /// Neither parser panics, and what parses prints as it was.
    #[test]
    fn any_text(text in "\\PC*(\n\\PC*){0,6}", sign in any::<bool>()) {
        let text = if sign { format!("{text}\n\n— a AAAAAAA=\n") } else { text };
        if let Ok(checkpoint) = text.parse::<Checkpoint>() {
            prop_assert_eq!(checkpoint.to_string(), text.clone());
        }
        if let Ok(vkey) = text.parse::<Vkey>() {
            prop_assert_eq!(vkey.to_string(), text);
        }
    }
}

#[test]
fn keys() {
    // golang.org/x/mod/sumdb/note, tests; sum.golang.org, cmd/go.
    for known in [
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    ] {
        assert_eq!(known.parse::<Vkey>().map(|key| key.to_string()).as_deref(), Ok(known));
    }
    // RFC 8032, 7.1, test 1.
    let seed = HEXLOWER.decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").expect("hex");
    let signer = Signer::from_seed("rfc8032", seed.as_slice().try_into().expect("32 bytes")).expect("a name");
    assert!(signer.vkey().to_string().ends_with("+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"), "{signer:?}");
    assert!(!format!("{signer:?}").contains("9d61") && !format!("{signer:?}").contains("157, 97"));
    for (text, error) in [
        ("", KeyError::Format),
        ("a+b", KeyError::Format),
        ("a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Name),
        ("Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Id),
        ("PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Kind(2)),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10", KeyError::Format),
    ] {
        assert_eq!(text.parse::<Vkey>(), Err(error), "{text}");
    }
}

#[test]
fn notes() {
    // c2sp.org/tlog-cosignature, the example.
    let known = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let checkpoint: Checkpoint = known.parse().expect("a checkpoint");
    assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.to_string(), known);
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for (from, to) in [
        ("20852163", "020852163"),
        ("20852163", "+20852163"),
        ("20852163", "99999999999999999999"),
        ("20852163", "0"),
        (root, "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw=="),
        ("example.com/behind-the-sofa\n2", "2"),
        ("— w", "- w"),
        ("\n\n", "\n"),
        ("qnA==\n", "qnA=="),
        ("sofa\n", "sofa\r\n"),
    ] {
        let parsed = known.replacen(from, to, 1).parse::<Checkpoint>();
        assert!(parsed.is_err(), "{from:?} -> {to:?}: {parsed:?}");
    }
    assert_eq!("x".repeat(2 << 20).parse::<Checkpoint>(), Err(NoteError::Note));
}
