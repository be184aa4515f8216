//! The reader and the writer of JSON against `serde_json`, on random values, on mutilated texts, and at the limits.

use proptest::prelude::*;
use serde_json::Value as Reference;
use stepstream::llm::json::{Tape, Value, Writer, decimal, merge};

/// Whether a value is what the reference read.
fn same(value: Value<'_>, reference: &Reference) -> bool {
    match reference {
        Reference::Null => value.raw() == Some("null") && !value.is_some(),
        Reference::Bool(wanted) => value.bool() == Some(*wanted),
        Reference::Number(wanted) => {
            let (text, wanted) = (value.number().unwrap_or_default(), wanted.as_f64().unwrap_or(f64::NAN));
            let near = decimal(text).is_some_and(|got| got == wanted || ((got - wanted) / wanted).abs() < 1e-14);
            text.parse::<f64>() == Ok(wanted) && (near || wanted.abs() < 1e-290)
        }
        Reference::String(wanted) => value.str() == Some(wanted),
        Reference::Array(wanted) => {
            let items: Vec<_> = value.items().collect();
            value.is_array() && items.len() == wanted.len() && items.into_iter().zip(wanted).all(|(a, b)| same(a, b))
        }
        Reference::Object(wanted) => {
            let count = value.entries().count();
            value.is_object() && count == wanted.len() && wanted.iter().all(|(name, b)| same(value.at(name), b))
        }
    }
}

fn reference() -> impl Strategy<Value = Reference> {
    let leaf = prop_oneof![
        Just(Reference::Null),
        any::<bool>().prop_map(Reference::from),
        any::<i64>().prop_map(Reference::from),
        any::<u64>().prop_map(Reference::from),
        any::<f64>().prop_map(Reference::from),
        "\\PC{0,12}".prop_map(Reference::from),
        "[\"\\\\/\u{0}-\u{20}é🦀]{0,12}".prop_map(Reference::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Reference::from),
            prop::collection::btree_map("[a-c\"é]{0,3}", inner, 0..6)
                .prop_map(|map| Reference::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_the_reference_wrote(value in reference(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.expect("values can be written");
        let mut tape = Tape::default();
        prop_assert!(same(tape.read(&text).expect("it is JSON"), &value), "{}", text);
    }

    #[test]
    fn takes_and_refuses_what_the_reference_does(
        value in reference(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{},:\"0-9eE+.tfn\\\\u \n-]{0,2}", 0..3_usize), 1..4),
    ) {
        let mut text: Vec<char> = value.to_string().chars().collect();
        for (place, insert, remove) in changes {
            let at = place.index(text.len() + 1);
            text.splice(at..(at + remove).min(text.len()), insert.chars());
        }
        let text: String = text.into_iter().collect();
        let mut tape = Tape::default();
        match (tape.read(&text), serde_json::from_str::<Reference>(&text)) {
            // Of several members of one name, the reference keeps the last.
            (Ok(read), Ok(wanted)) => prop_assert!(same(read, &wanted) || repeats(read), "{}", text),
            (Err(_), Err(_)) => {}
            // Where they differ on purpose: half a surrogate pair, and numbers beyond a double.
            (Ok(_), Err(error)) => {
                let reason = error.to_string();
                prop_assert!(reason.contains("surrogate") || reason.contains("hex escape") || reason.contains("out of range"), "{}: {}", text, reason);
            }
            (Err(_), Ok(_)) => prop_assert!(false, "refused: {}", text),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}|[\\[{\",:\\\\u0-9a-f}\\] ]{0,40}") {
        if let Ok(value) = Tape::default().read(&text) {
            prop_assert!(serde_json::from_str::<Reference>(&text).is_ok(), "{}", text);
            let _ = value.raw();
        }
    }

    #[test]
    fn writes_strings_that_the_reference_reads(text in "\\PC{0,20}|[\u{0}-\u{7f}]{0,20}") {
        let mut writer = Writer::default();
        writer.open('{').text("k\"", &text).key("a").open('[').string(&text).string("").close(']').close('}');
        let written: Reference = serde_json::from_str(&writer.finish()).expect("what is written is JSON");
        prop_assert_eq!(written, serde_json::json!({ "k\"": text, "a": [text, ""] }));
    }

    #[test]
    fn merging_is_what_a_merge_of_trees_gives(base in reference(), over in reference()) {
        fn merged(base: Reference, over: Reference) -> Reference {
            match (base, over) {
                (Reference::Object(mut base), Reference::Object(over)) => {
                    for (name, value) in over {
                        let old = base.remove(&name);
                        base.insert(name, old.map_or(value.clone(), |old| merged(old, value)));
                    }
                    Reference::Object(base)
                }
                (_, over) => over,
            }
        }
        let text = merge(&base.to_string(), &over.to_string()).expect("both are JSON");
        prop_assert_eq!(serde_json::from_str::<Reference>(&text).expect("so is the result"), merged(base, over));
    }
}

/// Whether some object names a member twice.
fn repeats(value: Value<'_>) -> bool {
    let names: Vec<_> = value.entries().map(|(name, _)| name).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    unique.len() < names.len() || value.items().any(repeats) || value.entries().any(|(_, value)| repeats(value))
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Tape::default().read(&nested(128)).is_ok());
    assert!(Tape::default().read(&nested(129)).is_err());
    assert!(Tape::default().read(&"[".repeat(1_000_000)).is_err());
    assert!(Tape::default().read(&format!("[{}0]", "0,".repeat(2_000_000))).is_err());
}

#[test]
fn halves_of_pairs_become_the_replacement_character() {
    let mut tape = Tape::default();
    for (text, wanted) in [
        (r#""\ud83d\ude00""#, "😀"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ud83dx""#, "\u{fffd}x"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\ude00\ud83d\ude00""#, "\u{fffd}😀"),
    ] {
        assert_eq!(tape.read(text).expect("it is JSON").str(), Some(wanted), "{text}");
    }
}

#[test]
fn numbers_pass_as_they_are() {
    let mut tape = Tape::default();
    let value = tape.read(r#"{"a":12345678901234567890123,"b":1.50,"c":-0,"d":1e999,"e":3.0}"#).expect("it is JSON");
    assert_eq!(value.at("a").number(), Some("12345678901234567890123"));
    assert_eq!((value.at("b").raw(), value.at("b").u64()), (Some("1.50"), None));
    assert_eq!((value.at("e").u64(), value.at("a").u64(), value.at("d").u64()), (Some(3), None, None));
}
