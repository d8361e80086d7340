//! Documents that once broke the generator, or lost what they say: each is small, and each had another cause.

use crate::model::Shape;
use crate::{Options, Source, generate, understand};

/// The module of a document with these schemas, one operation that takes and gives a `Body`, and what else stands there.
fn module(schemas: &str) -> String {
    let body = "content: { application/json: { schema: { $ref: '#/components/schemas/Body' } } }";
    document(&format!(
        "paths:\n  /a:\n    post:\n      operationId: a\n      security: []\n      x-palisade: {{ public: for a test }}\n      requestBody: {{ required: true, {body} }}\n      responses: {{ '200': {{ description: ok, {body} }} }}\ncomponents:\n  schemas:\n{schemas}"
    ))
}

fn document(rest: &str) -> String {
    let text = format!("openapi: 3.2.0\ninfo: {{ title: T, version: '1' }}\n{rest}");
    match generate(&Source::text("a.yaml", text), &Options::default()) {
        Ok(output) => output.code(),
        Err(findings) => panic!("{findings}"),
    }
}

/// What is declared from `start` to the end of its item.
fn item<'c>(code: &'c str, start: &str) -> &'c str {
    let rest = code.split_once(start).unwrap_or_else(|| panic!("no `{start}` in\n{code}")).1;
    rest.split_once("\n}").map_or(rest, |(item, _)| item)
}

#[test]
fn types_that_refine_their_own_members_end() {
    let code = module(
        "    Body: { $ref: '#/components/schemas/Node' }
    Node: { allOf: [{ $ref: '#/components/schemas/Base' }, { type: object, properties: { parent: { $ref: '#/components/schemas/Node' } } }] }
    Base: { type: object, properties: { parent: { $ref: '#/components/schemas/Base' }, name: { type: string } } }
",
    );
    assert!(item(&code, "pub struct Node {").contains("pub parent:"), "{code}");
}

#[test]
fn what_is_composed_of_one_thing_in_many_ways_is_merged_once() {
    let twice = |at: usize| {
        let next = format!("{{ $ref: '#/components/schemas/A{}' }}", at + 1);
        format!("    A{at}: {{ allOf: [{next}, {next}] }}\n")
    };
    let chain: String = (0..40).map(twice).collect();
    let code = module(&format!(
        "    Body: {{ $ref: '#/components/schemas/A0' }}\n{chain}    A40: {{ type: object, properties: {{ a: {{ type: string }} }} }}\n"
    ));
    assert!(code.contains("pub struct A0 {"), "{code}");
}

#[test]
fn choices_of_choices_are_looked_into_once() {
    let twice = |at: usize| {
        let next = format!("{{ $ref: '#/components/schemas/A{}' }}", at + 1);
        format!("    A{at}: {{ oneOf: [{next}, {{ type: integer }}, {next}] }}\n")
    };
    let chain: String = (0..40).map(twice).collect();
    let code = module(&format!(
        "    Body: {{ $ref: '#/components/schemas/A0' }}\n{chain}    A40: {{ type: object, properties: {{ a: {{ type: string }} }} }}\n"
    ));
    assert!(code.contains("pub enum A0"), "{code}");
}

#[test]
fn defaults_that_double_at_every_step_are_refused() {
    let twice = |at: usize| {
        let next = format!("{{ $ref: '#/components/schemas/A{}', default: {{}} }}", at + 1);
        format!("    A{at}: {{ type: object, properties: {{ a: {next}, b: {next} }} }}\n")
    };
    let chain: String = (0..20).map(twice).collect();
    let document = format!(
        "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents:\n  schemas:\n{chain}    A20: {{ type: object, properties: {{ a: {{ type: string }} }} }}\n"
    );
    let findings = generate(&Source::text("a.yaml", document), &Options::default()).unwrap_err();
    assert!(findings.to_string().contains("filled with defaults in turn"), "{findings}");
}

#[test]
fn no_keyword_beside_a_composition_is_lost() {
    for composed in [
        "$ref: '#/components/schemas/A'",
        "anyOf: [{ $ref: '#/components/schemas/A' }, { type: 'null' }]",
        "allOf: [{ $ref: '#/components/schemas/A' }, { type: object, properties: { y: { type: string } } }]",
    ] {
        let code = module(&format!(
            "    Body: {{ {composed}, dependentRequired: {{ x: [y] }} }}\n    A: {{ type: object, properties: {{ x: {{ type: string }}, y: {{ type: string }} }} }}\n"
        ));
        assert!(code.contains("DependentRequired"), "{composed}\n{code}");
    }
}

#[test]
fn write_only_holds_however_it_is_composed() {
    let secret = "    Secret: { type: string, writeOnly: true, pattern: '[a-z]' }\n";
    for member in [
        "{ $ref: '#/components/schemas/Secret' }",
        "{ $ref: '#/components/schemas/Secret', pattern: '[0-9]' }",
        "{ allOf: [{ $ref: '#/components/schemas/Secret' }, { anyOf: [{ minLength: 8 }, { pattern: '^a' }] }] }",
    ] {
        let body = format!(
            "    Body: {{ type: object, properties: {{ word: {member}, name: {{ type: string }} }} }}\n"
        );
        let code = module(&format!("{body}{secret}"));
        assert!(!item(&code, "pub struct Body {").contains("word"), "{member}\n{code}");
        assert!(item(&code, "pub struct BodyRequest {").contains("word"), "{member}\n{code}");
    }
}

#[test]
fn what_an_alias_says_outlives_its_merging() {
    let code = module(
        "    Body: { allOf: [{ type: object, properties: { id: { $ref: '#/components/schemas/S', readOnly: true } } }, { type: object, properties: { id: { type: string, maxLength: 5 }, name: { type: string } } }] }
    S: { type: string, minLength: 2 }
",
    );
    assert!(item(&code, "pub struct Body {").contains("pub id:"), "{code}");
    assert!(!item(&code, "pub struct BodyRequest {").contains("pub id:"), "{code}");
}

#[test]
fn what_the_direction_hides_is_none_of_the_others_either() {
    for others in ["additionalProperties: { type: string }", "patternProperties: { '^r': { type: string } }"]
    {
        let code = module(&format!(
            "    Body: {{ type: object, properties: {{ role: {{ type: string, readOnly: true }}, name: {{ type: string }} }}, {others} }}\n"
        ));
        let request = code.split_once("p::object!(BodyRequest: ").expect("an object").1;
        let shape = request.split_once(" beside ").expect("a shape beside the members").1;
        let shape = shape.split_once(" {").unwrap().0;
        let shape = code.split_once(&format!("static {shape}: p::Shape = ")).unwrap().1;
        assert!(shape.split_once(");\n").unwrap().0.contains("(\"role\", &p::Shape::NEVER)"), "{code}");
    }
}

#[test]
fn a_condition_is_read_to_the_letter_whichever_way_it_goes() {
    let code = module(
        "    Body: { type: object, x-palisade: { open: true }, not: { required: [role], properties: { role: { const: admin, readOnly: true } } } }\n",
    );
    let not = code.split_once("K::Not").expect("it is enforced").1;
    assert!(not.contains("K::Required(&[\"role\"])") && !not.contains("NEVER"), "{code}");
}

#[test]
fn what_is_listed_may_be_refused_by_what_stands_beside_it() {
    let code = module(
        "    Body: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: string, enum: [a, bbb], maxLength: 1 }\n",
    );
    assert!(code.contains("K::Length"), "{code}");
}

#[test]
fn a_discriminator_inside_of_not_lets_nothing_through() {
    let code = module(
        "    Body: { type: object, not: { oneOf: [{ $ref: '#/components/schemas/A' }, { $ref: '#/components/schemas/B' }], discriminator: { propertyName: kind } }, properties: { admin: { type: boolean }, kind: { type: string } } }
    A: { type: object, required: [admin], properties: { admin: { type: boolean }, kind: { type: string } } }
    B: { type: object, required: [root], properties: { root: { type: boolean }, kind: { type: string } } }
",
    );
    assert!(code.contains("K::Not") && !code.contains("K::Tagged"), "{code}");
}

#[test]
fn null_beside_an_enumeration_is_an_alternative() {
    let code = module(
        "    Body: { type: object, properties: { a: { anyOf: [{ $ref: '#/components/schemas/E' }, { type: 'null' }] } } }
    E: { type: string, enum: [x, y] }
",
    );
    assert!(item(&code, "pub struct Body {").contains("Option<Option<E>>"), "{code}");
}

#[test]
fn a_parameter_is_a_credential_only_where_its_scheme_is_asked_for() {
    let code = document(
        "paths:
  /a:
    parameters:
      - { name: x-api-key, in: header, required: true, schema: { type: string, pattern: '^[0-9]{4}$' } }
      - { name: access_token, in: query, required: true, schema: { type: string } }
    get: { operationId: withKey, security: [{ key: [] }], responses: { '204': { description: ok } } }
    post: { operationId: withToken, security: [{ token: [] }], responses: { '204': { description: ok } } }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Api-Key }
    token: { type: http, scheme: bearer }
",
    );
    let (key, token) = (item(&code, "pub struct WithKeyInput {"), item(&code, "pub struct WithTokenInput {"));
    assert!(!key.contains("x_api_key") && key.contains("pub access_token: String"), "{code}");
    assert!(token.contains("pub x_api_key: String") && !token.contains("access_token"), "{code}");
}

#[test]
fn a_media_type_may_stand_elsewhere() {
    let code = document(
        "paths:
  /a:
    post:
      operationId: a
      security: []
      x-palisade: { public: for a test }
      requestBody: { required: true, content: { application/json: { $ref: '#/components/mediaTypes/J' } } }
      responses: { '204': { description: ok } }
components:
  mediaTypes:
    J: { schema: { type: object, properties: { name: { type: string } } } }
",
    );
    assert!(code.contains("pub body: ABody") && !code.contains("p::Json"), "{code}");
}

#[test]
fn traits_that_differ_in_capitals_have_macros_of_their_own() {
    let operation = |id: &str, tag: &str| {
        format!(
            "  /{id}: {{ get: {{ operationId: {id}, tags: [{tag}], security: [], x-palisade: {{ public: for a test }}, responses: {{ '204': {{ description: ok }} }} }} }}\n"
        )
    };
    let code = document(&format!("paths:\n{}{}", operation("one", "a_b"), operation("two", "ab")));
    let macros: Vec<&str> = code.lines().filter(|line| line.contains("macro_rules!")).collect();
    assert!(macros.len() == 2 && macros[0] != macros[1], "{macros:?}");
}

/// Findings of a document, as they are shown.
fn refused(rest: &str) -> String {
    let text = format!("openapi: 3.2.0\ninfo: {{ title: T, version: '1' }}\n{rest}");
    match generate(&Source::text("a.yaml", text), &Options::default()) {
        Ok(_) => panic!("it is generated"),
        Err(findings) => findings.render(),
    }
}

/// A chain of schemas that each are `one` of a reference to the next.
fn chain(length: usize, one: &dyn Fn(&str) -> String) -> String {
    let each = |at: usize| {
        let next = format!("{{ $ref: '#/components/schemas/C{}' }}", at + 1);
        format!("    C{at}: {}\n", one(&next))
    };
    let all: String = (0..length).map(each).collect();
    format!("paths: {{}}\ncomponents:\n  schemas:\n{all}    C{length}: {{ type: string }}\n")
}

#[test]
fn members_that_are_merged_again_and_again_are_bounded() {
    // each would have the three hundred members behind it
    let more = "{ type: object, properties: { a: { type: string } } }";
    let many: Vec<String> = (0..300).map(|at| format!("m{at}: {{ type: string }}")).collect();
    let wide = format!("C1000: {{ type: object, properties: {{ {} }} }}", many.join(", "));
    let rest = chain(1_000, &|next| format!("{{ allOf: [{next}, {more}] }}"));
    let text = format!("openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\n{rest}");
    let text = text.replace("C1000: { type: string }", &wide);
    let understood =
        understand(&Source::text("a.yaml", text)).unwrap_or_else(|findings| panic!("{findings}"));
    let members = understood.api.api().types.iter().map(|(_, definition)| match &definition.shape {
        Shape::Object(object) => object.members.len(),
        _ => 0,
    });
    let members: usize = members.sum();
    assert!((301..60_000).contains(&members), "{members}");
}

#[test]
fn what_is_generated_is_bounded() {
    let parameters: Vec<String> =
        (0..320).map(|at| format!("{{ name: p{at}, in: query, schema: {{ type: string }} }}")).collect();
    let operation =
        "security: [], x-palisade: { public: for a test }, responses: { '204': { description: ok } }";
    let operations: String =
        (0..800).map(|at| format!("        M{at}: {{ operationId: o{at}, {operation} }}\n")).collect();
    let text = refused(&format!(
        "paths:\n  /a:\n    parameters: [{}]\n    additionalOperations:\n{operations}",
        parameters.join(", ")
    ));
    assert!(text.contains("types, members and schemas"), "{text}");
}

#[test]
fn members_that_are_refined_twice_at_every_step_are_written_once() {
    type Step<'s> = (&'s str, &'s dyn Fn(&str, usize) -> String);
    let steps: [Step<'_>; 3] = [
        ("3.1.0", &|next, most| format!("{{ {next}, maxProperties: {most} }}")),
        ("3.0.3", &|next, least| format!("{{ allOf: [{{ {next} }}, {{ minProperties: {} }}] }}", 9 - least)),
        ("3.1.0", &|next, most| {
            format!("{{ type: array, maxItems: {most}, items: {{ {next}, maxProperties: {most} }} }}")
        }),
    ];
    for (version, step) in steps {
        let twice = |at: usize| {
            let next = format!("$ref: '#/components/schemas/A{}'", at + 1);
            format!(
                "    A{at}: {{ type: object, properties: {{ a: {}, b: {} }} }}\n",
                step(&next, 9),
                step(&next, 8)
            )
        };
        let chain: String = (0..40).map(twice).collect();
        let text = format!(
            "openapi: {version}\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents:\n  schemas:\n{chain}    A40: {{ type: object, properties: {{ z: {{ type: string }} }} }}\n"
        );
        let output = generate(&Source::text("a.yaml", text), &Options::default()).unwrap();
        let code = output.code();
        assert!(code.len() < 200_000 && code.contains("MemberCount"), "{}", code.len());
    }
}

#[test]
fn objects_inside_each_other_that_each_say_more_are_written_once() {
    let inside =
        |inner: String, _| format!("{{ type: object, maxProperties: 2, properties: {{ a: {inner} }} }}");
    let nested = (0..55).fold("{ type: string }".to_owned(), inside);
    let code = module(&format!("    Body: {nested}\n"));
    assert!(code.len() < 100_000 && code.contains("MemberCount"), "{}", code.len());
}

#[test]
fn what_is_written_at_each_use_is_counted_while_it_is_made() {
    let many = |each: &dyn Fn(usize) -> String, count: usize| {
        let all: Vec<String> = (0..count).map(each).collect();
        format!("{{ {} }}", all.join(", "))
    };
    let schemas = |members: usize, uses: usize| {
        let inline = many(&|at| format!("m{at}: {{ type: string }}"), members);
        let uses: String = (0..uses)
            .map(|at| format!("    A{at}: {{ allOf: [{{ $ref: '#/components/schemas/Base' }}, {{ maxProperties: {at} }}] }}\n"))
            .collect();
        format!(
            "    Base: {{ type: object, properties: {{ inside: {{ type: object, properties: {inline} }} }} }}\n{uses}"
        )
    };
    let defaults = |members: usize, uses: usize| {
        let default = many(&|at| format!("m{at}: a"), members);
        let uses = many(&|at| format!("p{at}: {{ $ref: '#/components/schemas/D' }}"), uses);
        format!(
            "    D: {{ type: object, additionalProperties: {{ type: string }}, default: {default} }}\n    Uses: {{ type: object, properties: {uses} }}\n"
        )
    };
    let described = |length: usize, uses: usize| {
        let uses = many(&|at| format!("p{at}: {{ $ref: '#/components/schemas/D' }}"), uses);
        format!(
            "    D: {{ type: object, description: {}, properties: {{ a: {{ type: string }} }} }}\n    Uses: {{ type: object, properties: {uses} }}\n",
            "d".repeat(length)
        )
    };
    let text = |schemas: String| format!("paths: {{}}\ncomponents:\n  schemas:\n{schemas}");
    let ways: [&dyn Fn(usize, usize) -> String; 2] = [&schemas, &defaults];
    for way in ways {
        assert!(!document(&text(way(20, 10))).is_empty());
        let text = refused(&text(way(600, 600)));
        assert!(text.contains("types, members and schemas"), "{text}");
    }
    let text = refused(&text(described(100_000, 1_000)));
    assert!(text.contains("types, members and schemas"), "{text}");
}

#[test]
fn lists_that_end_are_not_said_to_be_endless() {
    let list = |next: &str| format!("{{ type: array, items: {next} }}");
    let inline = (0..40).fold("{ type: string }".to_owned(), |inner, _| list(&inner));
    let rest = format!("paths: {{}}\ncomponents: {{ schemas: {{ A: {inline} }} }}\n");
    assert!(
        generate(
            &Source::text("a.yaml", format!("openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\n{rest}")),
            &Options::default()
        )
        .is_ok()
    );
    // references outside of `components.schemas` have no names that they could end at
    let links: String = (0..80)
        .map(|at| format!("    a{at}: {{ type: array, items: {{ $ref: '#/x-lists/a{}' }} }}\n", at + 1))
        .collect();
    let lists = |last: &str| {
        format!(
            "paths: {{}}\nx-lists:\n{}    a80: {last}\ncomponents: {{ schemas: {{ A: {{ $ref: '#/x-lists/a0' }} }} }}\n",
            links
        )
    };
    let text = refused(&lists("{ type: string }"));
    assert!(text.contains("more than 64 lists, maps and references"), "{text}");
    assert!(!text.contains("does not end"), "{text}");
    let text = refused(&lists("{ type: array, items: { $ref: '#/x-lists/a0' } }"));
    assert!(text.contains("does not end"), "{text}");
}

#[test]
fn thousands_of_values_are_compared_with_a_pattern_that_is_compiled_once() {
    let words: Vec<String> = (0..5_000).map(|at| format!("w{at}")).collect();
    let code = module(&format!(
        "    Body: {{ type: string, pattern: '^[a-z]{{1,20}}[0-9]{{1,20}}$', enum: [{}] }}\n",
        words.join(", ")
    ));
    assert!(code.contains("W4999"), "the last is there");
}

#[test]
fn nullable_is_no_keyword_since_3_1_wherever_it_stands() {
    for schema in [
        "{ allOf: [{ $ref: '#/components/schemas/A' }], nullable: true }",
        "{ $ref: '#/components/schemas/A', nullable: true }",
        "{ allOf: [{ $ref: '#/components/schemas/A' }, { minLength: 1 }], nullable: true }",
        "{ type: string, nullable: true }",
    ] {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents: {{ schemas: {{ A: {{ type: string }}, B: {schema} }} }}\n"
        );
        let output = generate(&Source::text("a.yaml", text), &Options::default()).unwrap();
        let said = output.warnings().render();
        assert!(said.contains("`nullable`") && said.contains("type: [.., \"null\"]"), "{schema}\n{said}");
    }
}

#[test]
fn references_that_lead_on_and_on_are_refused_however_many() {
    let aliases = |length| chain(length, &str::to_owned);
    assert!(document(&aliases(60)).contains("pub type C0 = C1;"));
    assert!(refused(&aliases(20_000)).contains("20000 references lead from `C0` to what it is"));
}

#[test]
fn what_a_discriminator_never_chooses_is_remarked_on() {
    let remarks = |either: &str, card: &str| {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents:\n  schemas:\n    Either: {{ {either} }}\n    Card: {{ {card} }}\n    Cash: {{ type: object, required: [kind], properties: {{ kind: {{ type: string }} }} }}\n    Kind: {{ type: object, properties: {{ kind: {{ type: string }} }} }}\n"
        );
        generate(&Source::text("a.yaml", text), &Options::default()).unwrap().warnings().render()
    };
    let both = "oneOf: [{ $ref: '#/components/schemas/Card' }, { $ref: '#/components/schemas/Cash' }]";
    let plain = format!("{both}, discriminator: {{ propertyName: kind }}");
    let dead = "type: object, properties: { a: { type: string } }";
    assert!(remarks(&plain, dead).contains("does not declare `kind`"), "{}", remarks(&plain, dead));
    let extends = "allOf: [{ type: object, properties: { b: { type: string } } }, { type: object, properties: { a: { type: string } } }]";
    assert!(remarks(&plain, extends).contains("does not declare `kind`"));
    for alive in [
        "type: object, properties: { a: { type: string }, kind: { type: string } }",
        "type: object, properties: { a: { type: string } }, additionalProperties: true",
        "type: object, properties: { a: { type: string } }, x-palisade: { open: true }",
        "type: object, properties: { a: { type: string } }, patternProperties: { '^k': { type: string } }",
        "allOf: [{ $ref: '#/components/schemas/Kind' }, { type: object, properties: { a: { type: string } } }]",
    ] {
        assert!(!remarks(&plain, alive).contains("does not declare"), "{alive}\n{}", remarks(&plain, alive));
    }
    let beside = format!("type: object, properties: {{ kind: {{ type: string }} }}, {plain}");
    assert!(!remarks(&beside, dead).contains("does not declare"), "{}", remarks(&beside, dead));
    let part = format!("allOf: [{{ {plain} }}, {{ $ref: '#/components/schemas/Kind' }}]");
    assert!(!remarks(&part, dead).contains("does not declare"), "{}", remarks(&part, dead));
    let alive = "type: object, properties: { kind: { type: string } }";
    let mapped = |word: &str| {
        remarks(&format!("{both}, discriminator: {{ propertyName: kind, mapping: {{ a: {word} }} }}"), alive)
    };
    assert!(mapped("Kind").contains("`a` leads to a schema that is no alternative"), "{}", mapped("Kind"));
    assert!(!mapped("Card").contains("no alternative"), "{}", mapped("Card"));
}

#[test]
fn a_discriminator_chooses_or_it_is_said_why_not() {
    let outcome = |either: &str| {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents:\n  schemas:\n    Either: {{ {either} }}\n    Card: {{ type: object, required: [kind], properties: {{ kind: {{ type: string }} }} }}\n    Cash: {{ type: object, required: [kind], properties: {{ kind: {{ type: string }} }} }}\n"
        );
        let output = generate(&Source::text("a.yaml", text), &Options::default()).unwrap();
        (output.code(), output.warnings().render())
    };
    let card = "{ $ref: '#/components/schemas/Card' }";
    let inline = "{ type: object, required: [kind], properties: { kind: { type: string } } }";
    for (list, words, said) in [
        (format!("oneOf: [{card}, {inline}]"), "a: Card", "nothing says which word"),
        (
            format!("oneOf: [{card}, {{ $ref: '#/components/schemas/Cash' }}]"),
            "Cash: Card",
            "`Cash` means two",
        ),
    ] {
        let discriminator = format!("discriminator: {{ propertyName: kind, mapping: {{ {words} }} }}");
        let (code, said_of_it) = outcome(&format!("{list}, {discriminator}"));
        assert!(said_of_it.contains(said) && !code.contains("Tagged"), "{said_of_it}");
    }
    for list in [
        format!("oneOf: [{card}, {{ $ref: '#/components/schemas/Cash' }}]"),
        format!("oneOf: [{card}, {{ $ref: '#/components/schemas/Cash' }}, {{ type: 'null' }}]"),
        format!("anyOf: [{card}, {{ type: 'null' }}]"),
    ] {
        let discriminator = "discriminator: { propertyName: kind, mapping: { c: Card } }";
        let (code, said) = outcome(&format!("{list}, {discriminator}"));
        assert!(said.is_empty() && code.contains("words: &[(\"c\", "), "{list}\n{said}");
        assert_eq!(code.contains("Shape::NULL"), list.contains("null"), "{list}");
    }
}

/// `part.yaml` beside a document that refers to its `Pet`.
fn beside(part: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("part.yaml"), part).unwrap();
    let root = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths: {}\ncomponents: { schemas: { Root: { $ref: 'part.yaml#/components/schemas/Pet' } } }\n";
    std::fs::write(folder.path().join("openapi.yaml"), root).unwrap();
    let source = Source::file(folder.path().join("openapi.yaml"));
    generate(&source, &Options::default()).unwrap().code()
}

#[test]
fn discriminators_know_the_components_of_their_own_file() {
    let kinds = "    Cat: { type: object, required: [kind], properties: { kind: { type: string } } }\n";
    let either = "    Pet: { oneOf: [{ $ref: '#/components/schemas/Cat' }], discriminator: { propertyName: kind MAPPING } }\n";
    let code = |mapping: &str| {
        beside(&format!("components:\n  schemas:\n{}{kinds}", either.replace(" MAPPING", mapping)))
    };
    assert!(code("").contains("words: &[(\"Cat\", "), "{}", code(""));
    assert!(code(", mapping: { c: Cat }").contains("words: &[(\"c\", "));
    let parent = "    Pet: { type: object, required: [kind], properties: { kind: { type: string } }, discriminator: { propertyName: kind } }\n";
    let child = "    Cat: { allOf: [{ $ref: '#/components/schemas/Pet' }, { type: object, properties: { meow: { type: boolean } } }] }\n";
    let inherited = beside(&format!("components:\n  schemas:\n{parent}{child}"));
    assert!(inherited.contains("words: &[(\"Cat\", ") && inherited.contains("meow"), "{inherited}");
    let alone = beside(&format!("components:\n  schemas:\n{parent}"));
    assert!(!alone.contains("words: &["), "{alone}");
}

#[test]
fn a_path_keeps_its_derived_id_whatever_stands_beside_it() {
    let get = "    get: { security: [], x-palisade: { public: for a test }, responses: { '204': { description: ok } } }\n";
    for paths in [&["/b/"][..], &["/b/", "/b"], &["/b", "/b/"]] {
        let paths: String = paths.iter().map(|path| format!("  {path}:\n{get}")).collect();
        let code = document(&format!("paths:\n{paths}"));
        assert!(code.contains("GetBSlashInput") && !code.contains("GetB2"), "{code}");
    }
}

#[test]
fn paths_that_would_have_one_id_are_each_called_by_their_own() {
    let get = "    get: { security: [], x-palisade: { public: for a test }, responses: { '204': { description: ok } } }\n";
    let routes = |paths: &[&str]| -> Vec<(String, String)> {
        let list: String = paths.iter().map(|path| format!("  {path}:\n{get}")).collect();
        let code = document(&format!("paths:\n{list}"));
        let of = |path: &&str| {
            let before = code.split(&format!("path: \"{path}\"")).next().unwrap();
            let id = before.rsplit("id: \"").next().unwrap().split('"').next().unwrap();
            ((*path).to_owned(), id.to_owned())
        };
        let mut ids: Vec<_> = paths.iter().map(of).collect();
        ids.sort();
        ids
    };
    let all = ["/a-b", "/a_b", "/a/b"];
    let mut other = all;
    other.reverse();
    assert_eq!(routes(&all), routes(&other), "whatever the order");
    let ids: Vec<String> = routes(&all).into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids, ["getADashB", "getASlashB", "getAUnderscoreB"]);
    assert_eq!(routes(&["/a-b"])[0].1, "getAB", "alone it is as it was");
    // what spelling out does not tell apart, and what another has as its plain id
    for paths in [&["/a+b", "/a@b"][..], &["/aDashB", "/a-b", "/a/b"], &["/a/b", "/ab"]] {
        let mut reversed = paths.to_vec();
        reversed.reverse();
        assert_eq!(routes(paths), routes(&reversed), "{paths:?}");
        let mut ids: Vec<String> = routes(paths).into_iter().map(|(_, id)| id.to_lowercase()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), paths.len(), "{ids:?}");
    }
}
