//! The whole of emission, on a model made by hand.

use std::time::Duration;

use crate::lower::lower;
use crate::model::*;

fn member(name: &str, ty: Type, required: bool) -> Member {
    Member {
        name: name.into(),
        schema: Schema::of(ty),
        required,
        default: None,
        docs: Docs::default(),
        examples: Vec::new(),
    }
}

fn component(name: &str, shape: Shape) -> Definition {
    Definition { origin: Origin::Component(name.into()), docs: Docs::default(), shape, examples: Vec::new() }
}

fn text(length: Counts) -> Type {
    Type::Text(Text { length, ..Text::default() })
}

fn word(text: &str) -> Word {
    Word { value: WordValue::Text(text.into()), name: None, docs: Docs::default() }
}

fn operation(id: &str, path: &str) -> Operation {
    Operation {
        id: id.into(),
        method: Method::Get,
        path: PathTemplate { text: path.into(), segments: Vec::new() },
        tags: vec!["Things".into()],
        docs: Docs::default(),
        parameters: Vec::new(),
        body: None,
        responses: Vec::new(),
        access: Access::Any(vec![vec![Need { scheme: SchemeId::at(0), scopes: vec!["a:b".into()] }]]),
        step_up: None,
        limits: vec![LimitId::at(0)],
        cost: 1,
        timeout: Duration::from_secs(10),
        priority: Priority::Normal,
        audit: false,
        ownership: None,
        pagination: None,
        idempotency: None,
        login: None,
    }
}

fn json(schema: Schema) -> Content {
    Content {
        media_types: vec!["application/json".into()],
        form: ContentForm::Json,
        schema,
        part_headers: None,
        examples: Vec::new(),
    }
}

fn api() -> Api {
    let mut draft = TypeTableDraft::default();
    let node = draft.declare();
    let children = Type::Array(Box::new(Array {
        items: Schema::of(Type::Named(node)),
        counts: Counts { min: None, max: Some(8) },
        unique: false,
    }));
    let members = vec![
        member("type", text(Counts { min: Some(1), max: Some(40) }), true),
        member("next", Type::Named(node), false),
        member("children", children, false),
        Member {
            schema: Schema { ty: text(Counts::default()), nullable: true },
            ..member("note", Type::Any, false)
        },
    ];
    draft.define(node, component("Node", Shape::Object(Object { members, others: None, shape: None })));
    draft.add(component("Option", Shape::Words(Words { words: vec![word("EUR"), word("us-dollar")] })));
    let mut get = operation("getThing", "/things/{id}");
    get.parameters.push(Parameter {
        name: "id".into(),
        location: Location::Path,
        schema: Schema::of(Type::Text(Text { format: TextFormat::Uuid, ..Text::default() })),
        required: true,
        default: None,
        wire: Wire {
            style: Style::Form,
            explode: true,
            kind: WireKind::Scalar,
            typed: true,
            empty: false,
            types: Vec::new(),
            most: None,
            headers: Vec::new(),
            required: false,
        },
        example: None,
        docs: Docs::default(),
    });
    get.body = Some(Body {
        contents: vec![json(Schema::of(Type::Named(node)))],
        refused: Vec::new(),
        required: true,
        max: 262_144,
        depth: 32,
        docs: Docs::default(),
    });
    get.responses = vec![
        Response {
            status: StatusKey::Exactly(204),
            contents: Vec::new(),
            headers: Vec::new(),
            docs: Docs::described("done"),
        },
        Response {
            status: StatusKey::Range(4),
            contents: vec![json(Schema::of(Type::Named(node)))],
            headers: Vec::new(),
            docs: Docs::default(),
        },
    ];
    Api {
        title: "Things".into(),
        version: "1".into(),
        docs: Docs::default(),
        schemes: vec![Scheme {
            name: "key".into(),
            word: SchemeWord::ApiKey,
            kind: SchemeKind::ApiKey(KeyRules {
                location: KeyLocation::Header("X-Key".into()),
                prefix: None,
                rotate_within: None,
            }),
            docs: Docs::default(),
        }],
        scopes: vec![Scope::named("a:b")],
        limits: vec![Limit {
            name: "flood".into(),
            quota: 50,
            window: Duration::from_secs(1),
            burst: 100,
            counter: crate::model::Counter::TokenBucket,
            on: crate::model::CountedOn::Request,
            on_outage: crate::model::OnOutage::Local,
            advertise: crate::model::Advertise::Admitted,
            per: vec![Per::Address],
            scope: Counting::Document,
        }],
        unmatched: Vec::new(),
        errors: crate::model::ErrorForm::Envelope,
        resources: Vec::new(),
        types: draft.finish().unwrap(),
        shapes: Vec::new(),
        tags: Vec::new(),
        operations: vec![get],
        assumed: None,
        outgoing: Vec::new(),
    }
}

fn emitted(api: Api) -> String {
    let checked = CheckedApi::after_every_rule(api);
    let mut text = crate::output::Text::default();
    let plan = lower(&checked);
    let emission = super::Emission::of(&plan, "00");
    for piece in emission.pieces() {
        let piece = emission.write(&piece);
        syn::parse2::<syn::File>(piece.clone()).expect("a piece is whole items");
        text.add(piece);
    }
    text.0
}

fn squeezed(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_recursive_type_is_boxed_where_it_holds_itself_and_nowhere_else() {
    let code = emitted(api());
    assert!(code.contains("pub next: Option<p::Boxed<Node>>,"));
    assert!(code.contains("pub children: Option<Vec<Node>>,"));
    assert!(code.contains("1 next: p::Boxed<Node> = optional \"next\""), "{code}");
}

#[test]
fn a_rule_of_several_members_is_stated_once_and_that_of_one_where_it_is() {
    let mut api = api();
    let length = |max| text(Counts { min: None, max: Some(max) });
    let members = vec![
        member("one", length(5), true),
        member("two", length(5), false),
        member("three", length(6), false),
    ];
    let mut draft = TypeTableDraft::default();
    draft.add(component(
        "Pair",
        Shape::Object(Object { members, others: Some(Schema::of(Type::Any)), shape: None }),
    ));
    api.types = draft.finish().unwrap();
    api.operations.clear();
    let code = emitted(api);
    assert!(code.contains("0 one: String = required \"one\" under RULE_1,"), "{code}");
    assert!(code.contains("1 two: String = optional \"two\" under RULE_1,"));
    assert!(code.contains(
        "2 three: String = optional \"three\" under |value, at, out| p::length(value, 0..=6, at, out)"
    ));
    assert_eq!(code.matches("const RULE_").count(), 1);
    assert!(
        code.contains("const RULE_1: p::Rule<String> = |value, at, out| p::length(value, 0..=5, at, out);")
    );
}

#[test]
fn optional_and_nullable_are_kept_apart() {
    let code = emitted(api());
    assert!(code.contains("pub note: Option<Option<String>>,"));
}

#[test]
fn names_of_the_prelude_are_not_taken() {
    let code = emitted(api());
    assert!(code.contains("pub enum OptionSchema {"), "{code}");
    assert!(code.contains("pub r#type: String,"));
    assert!(!squeezed(&code).contains("rename = \"type\""), "serde drops the `r#` itself");
}

#[test]
fn security_facts_are_stated_whole() {
    let code = squeezed(&emitted(api()));
    assert!(code.contains("p::Need { scheme: \"key\", scopes: &[\"a:b\"] }"), "{code}");
    assert!(code.contains("impl p::Secured for GetThing {}"));
    assert!(code.contains("impl p::Grants<scope::AB> for GetThing {}"));

    let mut open = api();
    if let Access::Any(alternatives) = &mut open.operations[0].access {
        alternatives.push(Vec::new());
    }
    let code = squeezed(&emitted(open));
    assert!(!code.contains("p::Secured for GetThing"), "an anonymous way in proves no principal");
    assert!(!code.contains("p::Grants<"), "and grants no scope");
}
