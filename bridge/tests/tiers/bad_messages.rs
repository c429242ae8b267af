//! Foreign bytes: truncated, too long, of another kind, of other parameters, of another width, damaged anywhere.

use blindrelay_bridge::tiers::{
    EncryptedTierTable, Fault, KEY_BYTES_LIMIT, Kind, PUBLIC_KEY_BYTES_LIMIT, PriceWidth, PublicKey, ServerKey,
    TOTAL_BYTES_LIMIT, TotalCiphertext, UsageCiphertext, UsageWidth, WireError, charge,
};
use tfhe::safe_serialization::safe_serialize;
use tfhe::shortint::parameters::v1_8::{
    V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128, V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_GAUSSIAN_2M128,
};
use tfhe::{ClientKey, CompactPublicKey, CompressedServerKey, ConfigBuilder};

use crate::{table, tenant};

type Reader = fn(&[u8]) -> Result<(), WireError>;

/// A message of every kind with its reader and its limit.
fn messages() -> Vec<(Kind, Vec<u8>, Reader, usize)> {
    let tenant = tenant();
    let table = table(UsageWidth::Bits32, &[(0, 3)]);
    let usage = UsageCiphertext::encrypt(&tenant.public_key, table.width(), 5).unwrap();
    let total = charge(&tenant.server_key, &usage, &table).unwrap();
    let private = EncryptedTierTable::encrypt(&tenant.public_key, PriceWidth::new(2).unwrap(), &table).unwrap();
    vec![
        (Kind::ServerKey, tenant.server_key_bytes.clone(), |b| ServerKey::from_bytes(b).map(|_| ()), KEY_BYTES_LIMIT),
        (
            Kind::PublicKey,
            tenant.public_key.to_bytes().unwrap(),
            |b| PublicKey::from_bytes(b).map(|_| ()),
            PUBLIC_KEY_BYTES_LIMIT,
        ),
        (Kind::Usage, usage.to_bytes(), |b| UsageCiphertext::from_bytes(b).map(|_| ()), 17 << 10),
        (Kind::Total, total.to_bytes().unwrap(), |b| TotalCiphertext::from_bytes(b).map(|_| ()), TOTAL_BYTES_LIMIT),
        (Kind::Table, private.to_bytes(), |b| EncryptedTierTable::from_bytes(b).map(|_| ()), 24 << 10),
    ]
}

/// A frame by hand: magic, version, kind, length.
fn framed(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"BRTF\x01".to_vec();
    bytes.extend([kind, 0, 0]);
    bytes.extend((content.len() as u64).to_le_bytes());
    bytes.extend(content);
    bytes
}

#[test]
fn frames_are_held_to_their_length_kind_and_version() {
    let messages = messages();
    for (kind, bytes, read, limit) in &messages {
        let found = bytes.len();
        assert!(found <= *limit, "{kind}");
        for length in [0, 3, 15] {
            assert_eq!(read(&bytes[..length]), Err(WireError::Truncated { needed: 16, found: length }));
        }
        assert_eq!(read(&bytes[..found - 1]), Err(WireError::Truncated { needed: found, found: found - 1 }));
        let mut longer = bytes.clone();
        longer.push(0);
        let found_longer = found + 1;
        assert_eq!(read(&longer), Err(WireError::TrailingBytes { expected: found, found: found_longer }));
        longer.resize(limit + 1, 0);
        assert_eq!(read(&longer), Err(WireError::Oversized { kind: *kind, limit: *limit, found: limit + 1 }));
        let damaged = |at: usize, to: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = to;
            read(&bytes)
        };
        assert_eq!(damaged(0, b'X'), Err(WireError::Magic));
        assert_eq!(damaged(4, 2), Err(WireError::Version { found: 2, supported: 1 }));
        assert_eq!(damaged(6, 1), Err(WireError::Version { found: 1, supported: 1 }));
        assert_eq!(damaged(5, 99), Err(WireError::Kind { expected: *kind, found: 99 }));
        // An announced length of 2^64 - 1 allocates nothing.
        let mut huge = bytes.clone();
        huge[8..16].fill(0xFF);
        assert_eq!(read(&huge), Err(WireError::Truncated { needed: usize::MAX, found }));
    }
    for (kind, _, read, _) in &messages {
        for (other, bytes, ..) in messages.iter().filter(|message| message.0 != *kind && message.0 != Kind::ServerKey) {
            assert!(
                matches!(read(bytes), Err(WireError::Kind { .. } | WireError::Oversized { .. })),
                "{other} as {kind}"
            );
        }
    }
}

#[test]
fn a_content_of_anything_else_is_unreadable() {
    for (kind, _, read, _) in messages() {
        for content in [vec![], vec![0; 100], vec![0xFF; 100], b"a".repeat(5_000)] {
            let error = read(&framed(kind as u8, &content)).unwrap_err();
            assert!(matches!(error, WireError::Content { .. } | WireError::Truncated { .. }), "{kind}: {error}");
        }
    }
}

#[test]
fn damage_of_the_description_never_panics() {
    for (kind, bytes, read, _) in messages() {
        // The crate's encoding describes an object in its first few hundred bytes; lengths of arrays are among them.
        let step = if kind == Kind::ServerKey { 23 } else { 1 };
        let (mut refused, mut tried) = (0, 0);
        for at in (16..400).step_by(step) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xFF;
            refused += usize::from(read(&damaged).is_err());
            tried += 1;
        }
        // Usage and tables are words and a width: damaged words are other ciphertexts.
        let least = if matches!(kind, Kind::Usage | Kind::Table) { 4 } else { tried / 8 };
        assert!(refused >= least, "{kind}: {refused} of {tried} refused");
    }
}

#[test]
fn keys_of_other_parameters_are_refused() {
    let config = ConfigBuilder::with_custom_parameters(V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_GAUSSIAN_2M128)
        .use_dedicated_oprf_key(false);
    let client = ClientKey::generate(config.build());
    let bytes = ServerKey::compressed_key_to_bytes(&CompressedServerKey::new(&client)).unwrap();
    let fault = Fault::OtherParameters;
    assert_eq!(
        ServerKey::from_bytes(&bytes).map(|_| ()),
        Err(WireError::Content { kind: Kind::ServerKey, fault: fault.clone() })
    );
    let key = CompactPublicKey::new(&client);
    let expected = WireError::Content { kind: Kind::PublicKey, fault: fault.clone() };
    assert_eq!(PublicKey::new(key.clone()).map(|_| ()), Err(expected.clone()));
    let mut content = Vec::new();
    safe_serialize(&key, &mut content, 1 << 20).unwrap();
    assert_eq!(PublicKey::from_bytes(&framed(Kind::PublicKey as u8, &content)).map(|_| ()), Err(expected));

    // Blocks of one bit, of the same dimension and modulus.
    let client = tfhe::integer::ClientKey::new(V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128);
    let block = client.encrypt_one_block(1);
    let mut content = 1_u16.to_le_bytes().to_vec();
    safe_serialize(&block, &mut content, 1 << 20).unwrap();
    let refused = TotalCiphertext::from_bytes(&framed(Kind::Total as u8, &content)).map(|_| ());
    assert_eq!(refused, Err(WireError::Content { kind: Kind::Total, fault }));
}

#[test]
fn widths_and_shapes_are_checked() {
    let tenant = tenant();
    let usage = UsageCiphertext::encrypt(&tenant.public_key, UsageWidth::Bits32, 5).unwrap().to_bytes();
    let read = |bytes: &[u8]| UsageCiphertext::from_bytes(bytes).map(|_| ()).unwrap_err();
    let with_width = |bits: u32| {
        let mut bytes = usage.clone();
        bytes[16..20].copy_from_slice(&bits.to_le_bytes());
        bytes
    };
    let content = |fault| WireError::Content { kind: Kind::Usage, fault };
    assert_eq!(read(&with_width(48)), content(Fault::Width(48)));
    // 8 words of two blocks are too few for 64 bits.
    assert_eq!(read(&with_width(64)), content(Fault::Blocks { expected: 32, found: 16 }));
    // A byte more or less is no whole word.
    let content_bytes = usage[16..].to_vec();
    assert_eq!(
        read(&framed(3, &content_bytes[..content_bytes.len() - 1])),
        content(Fault::Blocks { expected: 16, found: 14 })
    );

    let private = EncryptedTierTable::encrypt(
        &tenant.public_key,
        PriceWidth::new(4).unwrap(),
        &table(UsageWidth::Bits32, &[(0, 3), (9, 1)]),
    );
    let private = private.unwrap().to_bytes();
    let read = |at: usize, value: u32| {
        let mut bytes = private.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        EncryptedTierTable::from_bytes(&bytes).map(|_| ()).unwrap_err()
    };
    let content = |fault| WireError::Content { kind: Kind::Table, fault };
    assert_eq!(read(16, 33), content(Fault::Width(33)));
    assert_eq!(read(20, 5), content(Fault::Shape { tiers: 2, price_bits: 5 }));
    assert_eq!(read(24, 0), content(Fault::Shape { tiers: 0, price_bits: 4 }));
    assert_eq!(read(24, 13), content(Fault::Shape { tiers: 13, price_bits: 4 }));
    assert!(matches!(read(24, 3), WireError::Content { fault: Fault::Blocks { .. }, .. }));

    for found in [0_u16, 49, u16::MAX] {
        let refused = TotalCiphertext::from_bytes(&framed(Kind::Total as u8, &found.to_le_bytes())).map(|_| ());
        let fault = Fault::Blocks { expected: 48, found: usize::from(found) };
        assert_eq!(refused, Err(WireError::Content { kind: Kind::Total, fault }));
    }
}
