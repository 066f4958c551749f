// Mounts GraphiQL. The token comes in the address after the # (browsers do not send that part to
// any server) and is kept for this tab only; it can be changed under "Headers" at any time.
"use strict";

const ADDRESS = "/graphql";
const KEPT = "onhand:authorization";
const END = { done: true, value: undefined };

const WELCOME = `# Onhand: stock, exact and live.
#
# Under "Headers" below stands who you are:
#   { "Authorization": "Bearer <token>" }
# \`onhand token --role operations\` makes a token.

query Levels {
  stockLevels(first: 10) {
    edges {
      node {
        sku { code name }
        warehouse { code }
        onHand available reserved seq asOf
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}

subscription Live {
  stockChanged {
    sku { code }
    warehouse { code }
    available reserved seq
  }
}
`;

function authorization() {
  const given = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEPT, `Bearer ${given}`);
    history.replaceState(null, "", window.location.pathname + window.location.search);
  }
  return sessionStorage.getItem(KEPT) || "Bearer <token>";
}

function isSubscription(params, documentAST) {
  const operations = (documentAST ? documentAST.definitions : []).filter(
    (definition) => definition.kind === "OperationDefinition",
  );
  const meant = operations.find(
    (operation) => operation.name && operation.name.value === params.operationName,
  );
  const operation = meant || operations[0];
  return Boolean(operation) && operation.operation === "subscription";
}

function post(params, headers, accept, signal) {
  return fetch(ADDRESS, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: accept, ...headers },
    body: JSON.stringify(params),
    signal,
  });
}

// One event of the stream is lines up to an empty line; only `data` of `next` is of interest.
function resultIn(block) {
  const lines = block.split("\n");
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
  return lines.includes("event: next") ? JSON.parse(data.join("\n")) : null;
}

async function* results(params, headers, signal) {
  const response = await post(params, headers, "text/event-stream", signal);
  if (!(response.headers.get("Content-Type") || "").startsWith("text/event-stream")) {
    yield await response.json();
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const result = resultIn(block);
      if (result) yield result;
    }
  }
}

// GraphiQL stops a subscription by `return`, which has to end a read that is waiting; that read
// then fails, and this is no error to show.
function subscribe(params, headers) {
  const controller = new AbortController();
  const inner = results(params, headers, controller.signal);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () =>
      inner.next().catch((error) => {
        if (!controller.signal.aborted) throw error;
        return END;
      }),
    return() {
      controller.abort();
      return Promise.resolve(END);
    },
  };
}

async function ask(params, headers) {
  const response = await post(params, headers, "application/json");
  return response.json();
}

function fetcher(params, options) {
  const headers = (options && options.headers) || {};
  const isLive = isSubscription(params, options && options.documentAST);
  return isLive ? subscribe(params, headers) : ask(params, headers);
}

const parameters = new URLSearchParams(window.location.search);
const headers = JSON.stringify({ Authorization: authorization() }, null, 2);

ReactDOM.createRoot(document.getElementById("console")).render(
  React.createElement(GraphiQL, {
    fetcher,
    headers,
    defaultQuery: WELCOME,
    query: parameters.get("query") || undefined,
    variables: parameters.get("variables") || undefined,
    isHeadersEditorEnabled: true,
    defaultEditorToolsVisibility: "headers",
  }),
);
