//! What is sent: one conversation in the words of every provider, and what differs between servers.

use serde_json::{Value, json};
use stepstream::error::Code;
use stepstream::llm::{
    Api, Block, Flavour, LlmError, Message, ModelResponse, Prepared, Provider, Request, Role, Secret, Signature,
    ToolCall,
};

/// A conversation with everything in it.
fn request() -> Request {
    Request::from_json(
        r#"{ "model": "m-1",
          "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": "What is this?" }, { "type": "image", "data": "AAAA", "mediaType": "image/png" }, { "type": "image", "url": "https://x.test/i.png" }] },
            { "role": "assistant", "content": [{ "type": "reasoning", "text": "Hm." }, { "type": "text", "text": "I look." },
              { "type": "toolCall", "id": "call_1", "name": "look", "arguments": { "at": 1.50 } }, { "type": "toolCall", "id": "call_2", "name": "now", "arguments": "" }] },
            { "role": "tool", "content": [{ "type": "toolResult", "id": "call_1", "content": "A \"cat\"" }] },
            { "role": "tool", "content": [{ "type": "toolResult", "id": "call_2", "content": "broken", "isError": true }] },
            { "role": "user", "content": "Well?" }
          ],
          "tools": [{ "name": "look", "description": "Looks.", "parameters": { "type": "object", "properties": { "at": { "minimum": 1e0 } } } }, { "name": "now" }],
          "toolChoice": "required", "parallelToolCalls": false, "temperature": 0.70, "maxTokens": 100, "stop": "END",
          "options": { "top_p": 0.9, "temperature": 1 }, "headers": { "X-Extra": "1" } }"#,
    )
    .expect("the request is well-formed")
}

fn provider(api: Api) -> Provider {
    Provider::new(api, "", Some(Secret::new("secret-key-123")))
}

fn build(provider: &Provider, request: &Request) -> (Prepared, Value) {
    let prepared = provider.build(request, true).expect("the request can be sent");
    let body = serde_json::from_slice(&prepared.http.body).expect("the body is JSON");
    (prepared, body)
}

fn header<'a>(prepared: &'a Prepared, name: &str) -> Option<&'a str> {
    prepared.http.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.expose())
}

#[test]
fn chat_completions() {
    let (prepared, body) = build(&provider(Api::Chat), &request());
    assert_eq!(prepared.http.url, "https://api.openai.com/v1/chat/completions");
    assert_eq!(header(&prepared, "authorization"), Some("Bearer secret-key-123"));
    assert_eq!((header(&prepared, "x-extra"), prepared.http.method), (Some("1"), "POST"));
    let function = |name: &str, parameters: Value| json!({ "name": name, "parameters": parameters });
    let mut look = function("look", json!({ "type": "object", "properties": { "at": { "minimum": 1.0 } } }));
    look["description"] = "Looks.".into();
    assert_eq!(
        body,
        json!({
            "model": "m-1",
            "messages": [
                { "role": "system", "content": "Be brief." },
                { "role": "user", "content": [
                    { "type": "text", "text": "What is this?" },
                    { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
                    { "type": "image_url", "image_url": { "url": "https://x.test/i.png" } }
                ] },
                { "role": "assistant", "content": "I look.", "tool_calls": [
                    { "id": "call_1", "type": "function", "function": { "name": "look", "arguments": "{ \"at\": 1.50 }" } },
                    { "id": "call_2", "type": "function", "function": { "name": "now", "arguments": "{}" } }
                ] },
                { "role": "tool", "tool_call_id": "call_1", "content": "A \"cat\"" },
                { "role": "tool", "tool_call_id": "call_2", "content": "broken" },
                { "role": "user", "content": "Well?" }
            ],
            "stream": true, "stream_options": { "include_usage": true },
            "temperature": 1, "max_completion_tokens": 100, "stop": ["END"], "top_p": 0.9,
            "tools": [
                { "type": "function", "function": look },
                { "type": "function", "function": function("now", json!({ "type": "object", "properties": {} })) }
            ],
            "tool_choice": "required", "parallel_tool_calls": false
        })
    );
}

#[test]
fn numbers_arrive_as_they_were_given() {
    let mut request = request();
    request.options = String::new();
    let body = provider(Api::Chat).build(&request, false).expect("it can be sent").http.body;
    let text = String::from_utf8(body).expect("it is text");
    assert!(text.contains("\"temperature\":0.70") && text.contains("{ \"minimum\": 1e0 }"), "{text}");
    assert!(!text.contains("stream"), "{text}");
}

#[test]
fn responses() {
    let mut request = request();
    assert_eq!(provider(Api::Responses).build(&request, true).map_err(|error| error.code), Err(Code::LlmRequest));
    request.stop.clear();
    let (prepared, body) = build(&provider(Api::Responses), &request);
    assert_eq!(prepared.http.url, "https://api.openai.com/v1/responses");
    assert_eq!(
        body["input"],
        json!([
            { "role": "system", "content": [{ "type": "input_text", "text": "Be brief." }] },
            { "role": "user", "content": [
                { "type": "input_text", "text": "What is this?" },
                { "type": "input_image", "image_url": "data:image/png;base64,AAAA" },
                { "type": "input_image", "image_url": "https://x.test/i.png" }
            ] },
            { "role": "assistant", "content": [{ "type": "output_text", "text": "I look." }] },
            { "type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{ \"at\": 1.50 }" },
            { "type": "function_call", "call_id": "call_2", "name": "now", "arguments": "{}" },
            { "type": "function_call_output", "call_id": "call_1", "output": "A \"cat\"" },
            { "type": "function_call_output", "call_id": "call_2", "output": "broken" },
            { "role": "user", "content": [{ "type": "input_text", "text": "Well?" }] }
        ])
    );
    assert_eq!((&body["max_output_tokens"], &body["tool_choice"]), (&json!(100), &json!("required")));
    assert_eq!(
        body["tools"][1],
        json!({ "type": "function", "name": "now", "parameters": { "type": "object", "properties": {} }, "strict": false })
    );
}

#[test]
fn anthropic() {
    let (prepared, body) = build(&provider(Api::Anthropic), &request());
    assert_eq!(prepared.http.url, "https://api.anthropic.com/v1/messages");
    assert_eq!(header(&prepared, "x-api-key"), Some("secret-key-123"));
    assert_eq!(header(&prepared, "anthropic-version"), Some("2023-06-01"));
    assert_eq!(
        body,
        json!({
            "model": "m-1", "max_tokens": 100, "system": "Be brief.",
            "messages": [
                { "role": "user", "content": [
                    { "type": "text", "text": "What is this?" },
                    { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } },
                    { "type": "image", "source": { "type": "url", "url": "https://x.test/i.png" } }
                ] },
                { "role": "assistant", "content": [
                    { "type": "text", "text": "I look." },
                    { "type": "tool_use", "id": "call_1", "name": "look", "input": { "at": 1.5 } },
                    { "type": "tool_use", "id": "call_2", "name": "now", "input": {} }
                ] },
                { "role": "user", "content": [
                    { "type": "tool_result", "tool_use_id": "call_1", "content": [{ "type": "text", "text": "A \"cat\"" }] },
                    { "type": "tool_result", "tool_use_id": "call_2", "content": [{ "type": "text", "text": "broken" }], "is_error": true },
                    { "type": "text", "text": "Well?" }
                ] }
            ],
            "stream": true, "temperature": 1, "stop_sequences": ["END"], "top_p": 0.9,
            "tools": [
                { "name": "look", "description": "Looks.", "input_schema": { "type": "object", "properties": { "at": { "minimum": 1.0 } } } },
                { "name": "now", "input_schema": { "type": "object", "properties": {} } }
            ],
            "tool_choice": { "type": "any", "disable_parallel_tool_use": true }
        })
    );
}

#[test]
fn gemini() {
    let mut request = request();
    request.options = r#"{"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}"#.into();
    let (prepared, body) = build(&provider(Api::Gemini), &request);
    let address = "https://generativelanguage.googleapis.com/v1beta/models/m-1:streamGenerateContent?alt=sse";
    assert_eq!((prepared.http.url.as_str(), header(&prepared, "x-goog-api-key")), (address, Some("secret-key-123")));
    assert_eq!(
        body,
        json!({
            "systemInstruction": { "parts": [{ "text": "Be brief." }] },
            "contents": [
                { "role": "user", "parts": [
                    { "text": "What is this?" },
                    { "inlineData": { "mimeType": "image/png", "data": "AAAA" } },
                    { "fileData": { "fileUri": "https://x.test/i.png" } }
                ] },
                { "role": "model", "parts": [
                    { "text": "I look." },
                    { "functionCall": { "name": "look", "args": { "at": 1.5 } } },
                    { "functionCall": { "name": "now", "args": {} } }
                ] },
                { "role": "user", "parts": [
                    { "functionResponse": { "name": "look", "response": { "output": "A \"cat\"" } } },
                    { "functionResponse": { "name": "now", "response": { "error": "broken" } } },
                    { "text": "Well?" }
                ] }
            ],
            "generationConfig": { "temperature": 0.7, "maxOutputTokens": 100, "stopSequences": ["END"], "thinkingConfig": { "includeThoughts": true } },
            "tools": [{ "functionDeclarations": [
                { "name": "look", "description": "Looks.", "parametersJsonSchema": { "type": "object", "properties": { "at": { "minimum": 1.0 } } } },
                { "name": "now", "description": "" }
            ] }],
            "toolConfig": { "functionCallingConfig": { "mode": "ANY" } }
        })
    );
    let whole = provider(Api::Gemini).build(&request, false).expect("it can be sent");
    assert!(whole.http.url.ends_with("/models/m-1:generateContent"));
    request.model = "tunedModels/mine é".into();
    let tuned = provider(Api::Gemini).build(&request, false).expect("it can be sent");
    assert!(tuned.http.url.ends_with("/v1beta/tunedModels/mine%20%C3%A9:generateContent"), "{}", tuned.http.url);
}

#[test]
fn tool_choices() {
    let with = |choice: &str, api: Api| {
        let mut request = request();
        request.stop.clear();
        request.parallel_tool_calls = None;
        let text = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],"toolChoice":{choice}}}"#);
        request.tool_choice = Request::from_json(&text).expect("it is well-formed").tool_choice;
        let body = build(&provider(api), &request).1;
        let place =
            if api == Api::Gemini { &body["toolConfig"]["functionCallingConfig"] } else { &body["tool_choice"] };
        place.clone()
    };
    let named = r#"{"name":"look"}"#;
    assert_eq!(with(named, Api::Chat), json!({ "type": "function", "function": { "name": "look" } }));
    assert_eq!(with(named, Api::Responses), json!({ "type": "function", "name": "look" }));
    assert_eq!(with(named, Api::Anthropic), json!({ "type": "tool", "name": "look" }));
    assert_eq!(with(named, Api::Gemini), json!({ "mode": "ANY", "allowedFunctionNames": ["look"] }));
    assert_eq!(with("\"auto\"", Api::Chat), json!("auto"));
    assert_eq!(with("\"none\"", Api::Anthropic), json!({ "type": "none" }));
    assert_eq!(with("\"none\"", Api::Gemini), json!({ "mode": "NONE" }));
    assert_eq!(with("null", Api::Responses), Value::Null);
}

#[test]
fn the_form_of_the_answer() {
    let ask = |provider: &Provider, options: &str, tools: &str| {
        let text = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],"responseFormat":{{"name":"pet","schema":{{"type":"object"}},"strict":true}},"options":{options},"tools":{tools}}}"#
        );
        build(provider, &Request::from_json(&text).expect("it is well-formed"))
    };
    let (_, chat) = ask(&provider(Api::Chat), "{}", "[]");
    let format = json!({ "type": "json_schema", "json_schema": { "name": "pet", "schema": { "type": "object" }, "strict": true } });
    assert_eq!(chat["response_format"], format);
    let (_, responses) = ask(&provider(Api::Responses), "{}", "[]");
    assert_eq!(responses["text"]["format"]["name"], json!("pet"));
    let (_, gemini) = ask(&provider(Api::Gemini), "{}", "[]");
    assert_eq!(
        gemini["generationConfig"],
        json!({ "responseMimeType": "application/json", "responseJsonSchema": { "type": "object" } })
    );

    let (prepared, forced) = ask(&provider(Api::Anthropic), "{}", "[]");
    assert_eq!(forced["tool_choice"], json!({ "type": "tool", "name": "pet" }));
    assert_eq!((forced["tools"][0]["name"].as_str(), prepared.expectation.output_tool.as_str()), (Some("pet"), "pet"));
    let (_, beside) = ask(&provider(Api::Anthropic), "{}", r#"[{"name":"look"}]"#);
    assert_eq!(
        (beside["tool_choice"].clone(), beside["tools"].as_array().map(Vec::len)),
        (json!({ "type": "any" }), Some(2))
    );
    let (prepared, thinking) = ask(&provider(Api::Anthropic), r#"{"thinking":{"type":"adaptive"}}"#, "[]");
    assert_eq!(
        thinking["output_config"],
        json!({ "format": { "type": "json_schema", "schema": { "type": "object" } } })
    );
    assert!(prepared.expectation.output_tool.is_empty() && thinking.get("tools").is_none());

    let deepseek = Provider::new(Api::Chat, "https://api.deepseek.com/v1", None);
    // A model that thinks refuses to be made to call a tool.
    let (_, thinking) = ask(&deepseek, "{}", "[]");
    assert!(thinking.get("tool_choice").is_none() && thinking["tools"][0]["function"]["name"] == "pet");
    let (prepared, body) = ask(&deepseek, r#"{"thinking":{"type":"disabled"}}"#, "[]");
    assert_eq!(body["tool_choice"], json!({ "type": "function", "function": { "name": "pet" } }));
    assert_eq!(prepared.expectation.output_tool, "pet");
}

#[test]
fn a_form_that_is_a_tool_goes_beside_those_of_the_program() {
    let ask = |provider: &Provider, model: &str, more: &str| {
        let text = format!(
            r#"{{"model":"{model}","messages":[{{"role":"user","content":"x"}}],"responseFormat":{{"name":"look","schema":{{"type":"object"}}}},"tools":[{{"name":"look"}}]{more}}}"#
        );
        build(provider, &Request::from_json(&text).expect("it is well-formed"))
    };
    let names = |tools: &Value| -> Vec<String> {
        let tools = tools.as_array().expect("there are tools");
        tools.iter().map(|tool| tool["name"].as_str().expect("it has a name").to_owned()).collect()
    };
    let anthropic = provider(Api::Anthropic);
    let (prepared, body) = ask(&anthropic, "m", "");
    assert_eq!(
        (names(&body["tools"]), &body["tool_choice"]),
        (vec!["look".into(), "look_".into()], &json!({ "type": "any" }))
    );
    assert_eq!(prepared.expectation.output_tool, "look_");
    // Without the program's tools the answer is all there is, and a tool that is wanted comes first.
    let (_, none) = ask(&anthropic, "m", r#","toolChoice":"none""#);
    assert_eq!(none["tool_choice"], json!({ "type": "tool", "name": "look_" }));
    let (_, named) = ask(&anthropic, "m", r#","toolChoice":{"name":"look"}"#);
    assert_eq!(named["tool_choice"], json!({ "type": "tool", "name": "look" }));
    let (prepared, body) = ask(&Provider::new(Api::Chat, "https://api.deepseek.com", None), "deepseek-chat", "");
    assert_eq!((&body["tools"][1]["function"]["name"], &body["tool_choice"]), (&json!("look_"), &json!("required")));
    assert_eq!(prepared.expectation.output_tool, "look_");

    // Before Gemini 3 a form beside tools is refused.
    let gemini = provider(Api::Gemini);
    let (prepared, body) = ask(&gemini, "gemini-2.5-flash", "");
    assert_eq!(names(&body["tools"][0]["functionDeclarations"]), ["look", "look_"]);
    assert_eq!(body["toolConfig"]["functionCallingConfig"], json!({ "mode": "ANY" }));
    assert_eq!((body["generationConfig"].clone(), prepared.expectation.output_tool.as_str()), (json!({}), "look_"));
    let (prepared, body) = ask(&gemini, "gemini-3-pro", "");
    assert_eq!(names(&body["tools"][0]["functionDeclarations"]), ["look"]);
    assert_eq!(body["generationConfig"]["responseMimeType"], json!("application/json"));
    assert!(prepared.expectation.output_tool.is_empty() && body.get("toolConfig").is_none());
}

#[test]
fn images_of_results_follow_when_all_results_are_there() {
    let request = Request::from_json(
        r#"{ "model": "m", "messages": [
            { "role": "assistant", "content": [{ "type": "toolCall", "id": "a", "name": "look" }, { "type": "toolCall", "id": "b", "name": "look" }] },
            { "role": "tool", "content": [{ "type": "toolResult", "id": "a", "content": [{ "type": "image", "url": "https://x.test/a.png" }] }] },
            { "role": "tool", "content": [{ "type": "toolResult", "id": "b", "content": [{ "type": "image", "url": "https://x.test/b.png" }] }] }
        ] }"#,
    );
    let mut request = request.expect("it is well-formed");
    let roles = |request: &Request| -> Vec<String> {
        let body = build(&provider(Api::Chat), request).1;
        let messages = body["messages"].as_array().expect("there are messages").clone();
        messages.iter().map(|message| message["role"].as_str().expect("it has a role").to_owned()).collect()
    };
    assert_eq!(roles(&request), ["assistant", "tool", "tool", "user"]);
    let body = build(&provider(Api::Chat), &request).1;
    assert_eq!(body["messages"][3]["content"][1]["image_url"]["url"], json!("https://x.test/b.png"));
    request.messages.push(Message { role: Role::Assistant, content: Vec::new() });
    assert_eq!(roles(&request), ["assistant", "tool", "tool", "user", "assistant"]);
}

#[test]
fn servers_are_recognised_by_their_address() {
    for (address, flavour) in [
        ("", Flavour::OpenAi),
        ("https://mine.openai.azure.com/openai/v1?api-version=1", Flavour::OpenAi),
        ("https://api.groq.com/openai/v1", Flavour::Groq),
        ("https://api.deepseek.com", Flavour::DeepSeek),
        ("https://api.mistral.ai/v1", Flavour::Mistral),
        ("https://api.x.ai/v1", Flavour::Xai),
        ("http://localhost:11434/v1/", Flavour::Ollama),
        ("http://localhost:8000/v1", Flavour::Generic),
        ("https://notgroq.com.evil.test", Flavour::Generic),
        ("https://fakex.ai/v1", Flavour::Generic),
    ] {
        assert_eq!(Provider::new(Api::Chat, address, None).flavour, flavour, "{address}");
    }
}

#[test]
fn what_servers_want_otherwise() {
    let body = |address: &str| build(&Provider::new(Api::Chat, address, None), &request()).1;
    let mistral = body("https://api.mistral.ai/v1");
    assert_eq!((&mistral["tool_choice"], &mistral["max_tokens"]), (&json!("any"), &json!(100)));
    assert!(mistral.get("stream_options").is_none());
    let ids = (&mistral["messages"][2]["tool_calls"][0]["id"], &mistral["messages"][3]["tool_call_id"]);
    assert!(ids.0 == ids.1 && ids.0.as_str().is_some_and(|id| id.len() == 9), "{ids:?}");
    assert!(mistral["messages"][2].get("reasoning_content").is_none());
    let deepseek = body("https://api.deepseek.com");
    assert_eq!(deepseek["messages"][2]["reasoning_content"], json!("Hm."));
}

#[test]
fn a_server_that_knows_no_choice_by_name_is_given_that_tool_alone() {
    let request = |choice: &str| {
        let json = r#"{ "model": "m-1", "messages": [{ "role": "user", "content": "Hi" }], "tools": [{ "name": "add" }, { "name": "multiply" }],
          "toolChoice": { "name": "CHOICE" } }"#;
        Request::from_json(&json.replace("CHOICE", choice)).expect("it is a request")
    };
    let names = |body: &Value| -> Vec<String> {
        let tools = body["tools"].as_array().expect("tools are a list");
        tools.iter().map(|tool| tool["function"]["name"].as_str().expect("a name").to_owned()).collect()
    };
    let mut llama = Provider::new(Api::Chat, "http://127.0.0.1:8080/v1", None);
    let (_, body) = build(&llama, &request("multiply"));
    assert_eq!((names(&body).len(), body["tool_choice"]["function"]["name"].as_str()), (2, Some("multiply")));
    llama.flavour = Flavour::LlamaCpp;
    let (_, body) = build(&llama, &request("multiply"));
    assert_eq!((names(&body), body["tool_choice"].as_str()), (vec!["multiply".to_owned()], Some("required")));
    let (_, body) = build(&llama, &request("divide"));
    assert_eq!(names(&body).len(), 2, "the server is to say that there is no such tool");
}

#[test]
fn addresses_keep_their_query_and_lose_double_slashes() {
    let url = |api: Api, base: &str| {
        provider_at(api, base).build(&request_without_stop(), true).expect("it can be sent").http.url
    };
    assert_eq!(url(Api::Chat, "http://h/v1/"), "http://h/v1/chat/completions");
    assert_eq!(url(Api::Responses, "https://h/openai/v1?api-version=2"), "https://h/openai/v1/responses?api-version=2");
    assert_eq!(
        url(Api::Gemini, "https://h/v1beta?x=1"),
        "https://h/v1beta/models/m-1:streamGenerateContent?alt=sse&x=1"
    );
}

fn provider_at(api: Api, base: &str) -> Provider {
    Provider::new(api, base, None)
}

fn request_without_stop() -> Request {
    Request { stop: Vec::new(), ..request() }
}

#[test]
fn headers_of_the_caller_win_and_bad_ones_are_refused() {
    let mut provider = provider(Api::Chat);
    provider.headers = vec![("Authorization".into(), Secret::new("Custom t")), ("x-team".into(), Secret::new("a"))];
    let mut request = request();
    request.headers = vec![("X-Team".into(), "b".into())];
    let (prepared, _) = build(&provider, &request);
    assert_eq!((header(&prepared, "authorization"), header(&prepared, "x-team")), (Some("Custom t"), Some("b")));
    for (name, value) in [("bad name", "x"), ("", "x"), ("ok", "a\r\nevil: 1"), ("ok", "\u{0}")] {
        request.headers = vec![(name.into(), value.into())];
        let error = provider.build(&request, true).expect_err("HTTP has no such header");
        assert_eq!(error.code, Code::LlmRequest);
        assert!(!error.message.contains("evil"), "a value may be a secret");
    }
}

#[test]
fn a_key_is_never_shown() {
    let provider = provider(Api::Gemini);
    let prepared = provider.build(&request(), true).expect("it can be sent");
    assert!(!format!("{provider:?} {prepared:?}").contains("secret-key"));
    assert!(!prepared.http.url.contains("secret-key"));
    assert_eq!(Secret::new("secret-key-123").scrub("bad key: SECRET-key-123!".into()), "bad key: [secret]!");
    assert_eq!(Secret::new("a").scrub("banana".into()), "banana");
}

#[test]
fn what_a_provider_signed_goes_back_to_it_and_to_nobody_else() {
    let sign = |api: Api| Some(Signature { api, id: Some("id-1".into()), data: Some("sealed".into()) });
    let conversation = |signer: Api| Request {
        model: "gemini-3-x".into(),
        messages: vec![
            Message::text(Role::User, "x"),
            Message {
                role: Role::Assistant,
                content: vec![
                    Block::Reasoning { text: "hm".into(), signature: sign(signer), redacted: false },
                    Block::Reasoning { text: String::new(), signature: sign(signer), redacted: true },
                    Block::Text { text: "Hi".into(), signature: sign(signer) },
                    Block::ToolCall(ToolCall {
                        id: "c".into(),
                        name: "f".into(),
                        arguments: "{".into(),
                        signature: sign(signer),
                    }),
                ],
            },
        ],
        ..Request::default()
    };
    let text = |signer: Api, api: Api| build(&provider(api), &conversation(signer)).1.to_string();
    for signer in [Api::Anthropic, Api::Gemini, Api::Responses] {
        for api in [Api::Chat, Api::Responses, Api::Anthropic, Api::Gemini] {
            assert_eq!(text(signer, api).contains("sealed"), signer == api, "{signer:?} to {api:?}");
        }
    }
    let anthropic = build(&provider(Api::Anthropic), &conversation(Api::Anthropic)).1;
    assert_eq!(
        anthropic["messages"][1]["content"][0],
        json!({ "type": "thinking", "thinking": "hm", "signature": "sealed" })
    );
    assert_eq!(anthropic["messages"][1]["content"][1], json!({ "type": "redacted_thinking", "data": "sealed" }));
    assert_eq!(
        anthropic["messages"][1]["content"][3]["input"],
        json!({ "arguments": "{" }),
        "cut off arguments stay visible"
    );
    let gemini = build(&provider(Api::Gemini), &conversation(Api::Gemini)).1;
    let call = json!({ "functionCall": { "id": "id-1", "name": "f", "args": { "arguments": "{" } }, "thoughtSignature": "sealed" });
    assert_eq!(gemini["contents"][1]["parts"][3], call);
    let foreign = build(&provider(Api::Gemini), &conversation(Api::Anthropic)).1;
    assert_eq!(foreign["contents"][1]["parts"][1]["thoughtSignature"], json!("skip_thought_signature_validator"));
    let responses = build(&provider(Api::Responses), &conversation(Api::Responses)).1;
    let item = json!({ "type": "reasoning", "id": "id-1", "summary": [{ "type": "summary_text", "text": "hm" }], "encrypted_content": "sealed" });
    assert_eq!(responses["input"][1], item);
}

#[test]
fn answers_go_back_as_json_unchanged() {
    let response = ModelResponse {
        content: vec![
            Block::Reasoning {
                text: "hm".into(),
                signature: Some(Signature { api: Api::Responses, id: None, data: Some("d".into()) }),
                redacted: true,
            },
            Block::text("a\"\n\u{1}🦀"),
            Block::Refusal("no".into()),
            Block::ToolCall(ToolCall { id: "i".into(), name: "n".into(), arguments: "{}".into(), signature: None }),
        ],
        ..ModelResponse::default()
    };
    let json: Value = serde_json::from_str(&response.to_json()).expect("it is JSON");
    let text = json!({ "model": "m", "messages": [{ "role": "assistant", "content": json["content"] }] }).to_string();
    assert_eq!(Request::from_json(&text).expect("it is well-formed").messages, [response.message()]);
    let mut error = LlmError::new(Code::LlmTimeout, "late");
    error.partial = Some(Box::new(response));
    let json: Value = serde_json::from_str(&error.to_json()).expect("it is JSON");
    assert_eq!((&json["code"], &json["partial"]["content"][1]["text"]), (&json!(131), &json!("a\"\n\u{1}🦀")));
}

#[test]
fn what_is_not_a_request_is_refused_with_a_reason() {
    for (text, reason) in [
        ("{", "not JSON"),
        ("{}", "`model`"),
        (r#"{"model":"m"}"#, "`messages`"),
        (r#"{"model":"m","messages":[{"role":"boss","content":"x"}]}"#, "boss"),
        (r#"{"model":"m","messages":[{"role":"user","content":[{"type":"video"}]}]}"#, "video"),
        (r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image","data":"AA"}]}]}"#, "mediaType"),
        (r#"{"model":"m","messages":[{"role":"tool","content":[{"type":"toolResult"}]}]}"#, "`id`"),
        (r#"{"model":"m","messages":[{"role":"user","text":"x"}]}"#, "no `content`"),
        (r#"{"model":"m","messages":[{"role":"assistant","content":null}]}"#, "no `content`"),
        (r#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "neither a string nor"),
        (r#"{"model":"m","messages":[{"role":"tool","tool_call_id":"a","content":"x"}]}"#, "toolResult"),
        (
            r#"{"model":"m","messages":[{"role":"tool","content":[{"type":"toolResult","id":"a","content":{"n":1}}]}]}"#,
            "neither a string nor",
        ),
        (r#"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{}]}"#, "`name`"),
        (r#"{"model":"m","messages":[{"role":"user","content":"x"}],"toolChoice":1}"#, "toolChoice"),
        (r#"{"model":"m","messages":[{"role":"user","content":"x"}],"responseFormat":{}}"#, "schema"),
    ] {
        let error = Request::from_json(text).expect_err(text);
        assert!(error.code == Code::LlmRequest && error.message.contains(reason), "{text}: {}", error.message);
    }
    assert!(Provider::from_json(r#"{"api":"telepathy"}"#).is_err());
    assert!(Provider::from_json(r#"{"api":"chat","flavour":"sweet"}"#).is_err());
    let provider = Provider::from_json(
        r#"{"api":"chat","baseURL":"http://h/v1","apiKey":"k","headers":{"a":"b"},"flavour":"vllm"}"#,
    );
    let provider = provider.expect("it is well-formed");
    assert_eq!((provider.flavour, provider.api_key), (Flavour::Vllm, Some(Secret::new("k"))));
}
