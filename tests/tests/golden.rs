//! Each document of `specs/accept` gives exactly the file of `golden/`, and each of those compiles without a warning.
//!
//! A change of the generator shows as a change of these files, for a reviewer to read. `BLESS=1` writes them (a new one
//! must be there to begin with, be it empty).
#![deny(warnings, missing_docs)]

use std::path::{Path, PathBuf};

use palisade_codegen::output::write_if_changed;
use palisade_codegen::{Options, Source, generate};

macro_rules! goldens {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            pub mod $name {
                include!(concat!("../golden/", stringify!($name), ".rs"));
            }
        )*
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

goldens! {
    /// The anonymous alternative `{}`.
    anonymous,
    /// Ranges of any media type, and what is refused of them.
    any_media_type,
    /// Lists, lists of lists, lists of nullable items.
    arrays,
    /// Operations whose calls are told of, and one of the same document that is not.
    audit,
    /// Structs whose schema says more, and members that are not declared by name.
    beyond,
    /// Request bodies, and answers by status, range and default.
    bodies,
    /// Client certificates, and tokens that are bound to them.
    certificates,
    /// Members that are their default where they are absent.
    defaults,
    /// `readOnly` and `writeOnly`: one type in requests, another in answers.
    directions,
    /// Schemas that state an older draft of JSON Schema.
    drafts,
    /// Enumerations of strings.
    enums,
    /// Forms, urlencoded and multipart.
    forms,
    /// Schemas known by `$id` and `$anchor`, and `$dynamicRef`.
    generics,
    /// Answers that are kept.
    idempotency,
    /// A key in the query, which no handler gets, and look-around at the ends of a pattern.
    key_in_query,
    /// Ways to count, and what is counted by.
    limits,
    /// Operations that are logins.
    logins,
    /// Names that fit on no line.
    long_names,
    /// Maps, JSON of any shape, open objects.
    maps,
    /// Several media types of a body and of an answer, and its headers.
    media_types,
    /// `allOf` as one struct, `null` as an alternative.
    merged,
    /// Names that mean something in Rust.
    names,
    /// Parts that are parts themselves.
    nested_parts,
    /// Absent and `null`, kept apart.
    nullable,
    /// One text as all of the query, and in other parameters.
    one_text,
    /// What OpenAPI 3.2 has more.
    openapi_3_2,
    /// Methods by their names.
    other_methods,
    /// Webhooks and callbacks.
    outgoing,
    /// Lists that are walked by cursor.
    pagination,
    /// Parameters of each place.
    params,
    /// What parts say in their heads.
    parts,
    /// Parts that are told by their places.
    places,
    /// Tokens that are bound to keys, and logins that an operation asks for.
    proofs,
    /// All of the query as one value, of a form and of JSON.
    query_string,
    /// Schemas without a type where the content is bytes.
    raw_bytes,
    /// Types that hold themselves.
    recursive,
    /// References to every kind of thing, and to places that are none.
    references,
    /// Object-level rules.
    resources,
    /// Alternatives of combinations, each with its scopes.
    security,
    /// Schemas that stay JSON.
    shapes,
    /// Answers that are streams or bytes.
    streams,
    /// Parameters of each style.
    styles,
    /// Claims that name the tenant, and limits by it.
    tenants,
    /// Tokens about which their issuer is asked, and revocation.
    tokens,
    /// Choices: `oneOf` and lists of types.
    unions,
    /// Schemas that stay JSON, in parameters and forms.
    untyped,
    /// A form that is a choice.
    untyped_form,
    /// Forms and parts of answers, and forms that are sent.
    written_forms,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn generated(name: &str) -> String {
    let document = folder("specs/accept").join(name).with_extension("yaml");
    match generate(&Source::file(document), &Options::default()) {
        Ok(output) => output.code(),
        Err(findings) => panic!("{name}\n{findings}"),
    }
}

#[test]
fn every_document_gives_its_golden() {
    let mut stale = Vec::new();
    for name in NAMES {
        let golden = folder("golden").join(name).with_extension("rs");
        let code = generated(name);
        if std::env::var_os("BLESS").is_some() {
            write_if_changed(&golden, &code).unwrap();
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != code {
            stale.push(*name);
        }
    }
    assert!(
        stale.is_empty(),
        "read the difference after `BLESS=1 cargo test -p palisade-tests --test golden`: {stale:?}"
    );
}

#[test]
fn every_document_has_a_golden() {
    let mut documents: Vec<String> = std::fs::read_dir(folder("specs/accept"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    documents.sort();
    assert_eq!(documents, NAMES);
}

#[test]
fn goldens_are_short_enough_to_read() {
    for name in NAMES {
        let lines = generated(name).lines().count();
        assert!(lines <= 300, "{name}: {lines} lines");
    }
}

/// This package's build script wrote one; command line and macro are compared where they live.
#[test]
fn a_build_script_writes_what_the_library_generates() {
    let built = include_str!(concat!(env!("OUT_DIR"), "/gate.rs"));
    let generated = generate(&Source::file(folder("specs/gate.yaml")), &Options::default()).unwrap();
    assert_eq!(built, generated.code());
}

#[test]
fn the_same_document_gives_the_same_bytes_from_wherever_it_stands() {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("bodies.yaml");
    std::fs::copy(folder("specs/accept/bodies.yaml"), &copy).unwrap();
    let code = generate(&Source::file(copy), &Options::default()).unwrap().code();
    assert_eq!(code, generated("bodies"));
}
