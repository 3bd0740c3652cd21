//! Codings as tables: whole, cut at every place, followed by more, and bombs.

use super::*;

fn caps(bytes: usize, cut: bool) -> Caps {
    Caps { bytes, cut, ratio: 100, ratio_after: 64 * 1024 }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/testdata/fetch/coded/{name}", env!("CARGO_MANIFEST_DIR"))).expect("testdata/fetch/coded")
}

/// Decodes in pieces of `step` bytes; also tells the most that was ever held.
fn decode(coding: Coding, coded: &[u8], caps: Caps, step: usize) -> (Result<Bytes, FailReason>, usize) {
    let (mut decoder, mut most) = (Decoder::new(coding, caps), 0);
    for piece in coded.chunks(step) {
        let pushed = decoder.push(piece);
        most = most.max(decoder.sink().out.len());
        match pushed {
            Ok(true) => {}
            Ok(false) => break,
            Err(reason) => return (Err(reason), most),
        }
    }
    (decoder.finish(), most)
}

fn samples() -> Vec<(Coding, Vec<u8>)> {
    let page = file("page.txt");
    vec![(Coding::Gzip, gzip(&page)), (Coding::Brotli, file("page.br")), (Coding::Zstd, zstd_of(&page))]
}

#[test]
fn whole_bodies_come_out_whole_in_any_pieces() {
    for (coding, coded) in samples() {
        for step in [1, 7, 100_000] {
            let (body, _) = decode(coding, &coded, caps(1 << 20, false), step);
            assert_eq!(body.as_deref(), Ok(&file("page.txt")[..]), "{coding:?} {step}");
        }
    }
    for coding in [Coding::Identity, Coding::Gzip, Coding::Brotli, Coding::Zstd] {
        assert_eq!(decode(coding, b"", caps(9, false), 1).0.as_deref(), Ok(&b""[..]), "{coding:?}");
    }
}

#[test]
fn what_breaks_off_or_goes_on_is_broken() {
    for (coding, coded) in samples() {
        for end in 1..coded.len() {
            let (body, _) = decode(coding, &coded[..end], caps(1 << 20, false), 13);
            assert_eq!(body, Err(FailReason::CodingBroken), "{coding:?} cut at {end} of {}", coded.len());
        }
        let more = [&coded[..], b"more"].concat();
        assert_eq!(decode(coding, &more, caps(1 << 20, false), 13).0, Err(FailReason::CodingBroken), "{coding:?}");
    }
}

#[test]
fn bombs_are_noticed_early_and_large_bodies_are_refused() {
    let zeros = vec![b'a'; 64 << 20];
    for (coding, bomb) in
        [(Coding::Gzip, gzip(&zeros)), (Coding::Brotli, file("bomb.br")), (Coding::Zstd, zstd_of(&zeros))]
    {
        let (body, most) = decode(coding, &bomb, caps(8 << 20, false), 4096);
        assert_eq!(body, Err(FailReason::DecodeRatio), "{coding:?}");
        assert!(most <= 8 << 20, "{coding:?} held {most}");
    }
    let noise: Vec<u8> = (0..1_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (coding, coded) in [(Coding::Gzip, gzip(&noise)), (Coding::Zstd, zstd_of(&noise)), (Coding::Identity, noise)] {
        let (body, most) = decode(coding, &coded, caps(500_000, false), 4096);
        assert_eq!((body, most <= 500_000), (Err(FailReason::BodyTooLarge), true), "{coding:?}");
        let (body, _) = decode(coding, &coded, caps(500_000, true), 4096);
        assert_eq!(body.map(|b| b.len()), Ok(500_000), "{coding:?} cut");
    }
}

#[test]
fn one_coding_that_was_asked_for() {
    let of = |values: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, hyper::header::HeaderValue::from_static(value));
        }
        Coding::of(&headers)
    };
    assert_eq!(of(&[]), Ok(Coding::Identity));
    assert_eq!(of(&["identity", ""]), Ok(Coding::Identity));
    assert_eq!(of(&["GZIP"]), Ok(Coding::Gzip));
    assert_eq!(of(&["identity, br"]), Ok(Coding::Brotli));
    for wrong in [&["gzip, gzip"][..], &["gzip", "br"], &["deflate"], &["gzip;q=1"], &["compress"]] {
        assert_eq!(of(wrong), Err(FailReason::ContentCoding), "{wrong:?}");
    }
}

#[test]
fn bodies_that_fill_the_buffer_exactly_are_whole() {
    for size in [1, 2, 4, 8, 16].map(|n| n * BUFFER) {
        for around in [size - 1, size, size + 1] {
            let mut state = 7_u64;
            let mut noise = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            };
            let plain: Vec<u8> = (0..around).map(|_| noise()).collect();
            let mut decoder = Decoder::new(Coding::Zstd, caps(1 << 20, false));
            assert!(decoder.push(&zstd_of(&plain)).expect("readable"), "{around}");
            assert_eq!(decoder.finish().expect("whole"), plain, "{around}");
        }
    }
}
