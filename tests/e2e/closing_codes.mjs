// The codes that a socket of graphql-transport-ws is closed with: by the client graphql-ws where it
// can be brought to it, by a bare socket where no good client would. Prints code by case as JSON.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token] = process.argv.slice(2);
const INIT = JSON.stringify({
  type: "connection_init",
  payload: { authorization: `Bearer ${token}` },
});
const SUBSCRIBE = JSON.stringify({
  type: "subscribe",
  id: "1",
  payload: { query: "subscription { stockChanged { seq } }" },
});

function byClient(params, more, ask) {
  return new Promise((resolve, reject) => {
    const client = createClient({
      url,
      webSocketImpl: WebSocket,
      connectionParams: params,
      retryAttempts: 0,
      lazy: true,
      on: { closed: (event) => resolve(event.code) },
      ...more,
    });
    const sink = { next() {}, error() {}, complete() {} };
    for (let n = 0; n < ask; n++) {
      client.subscribe({ query: "subscription { stockChanged { seq } }" }, sink);
    }
    setTimeout(() => reject(new Error("it was not closed")), 30_000).unref();
  });
}

function bySocket(messages, protocols = ["graphql-transport-ws"]) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols);
    socket.on("open", () => messages.forEach((message) => socket.send(message)));
    socket.on("close", (code) => resolve(code));
    socket.on("error", reject);
  });
}

const good = { authorization: `Bearer ${token}` };
const told = {
  badToken: await byClient({ authorization: "Bearer none" }, {}, 1),
  noToken: await byClient({}, {}, 1),
  sameId: await byClient(good, { generateID: () => "1" }, 2),
  noJson: await bySocket(["{"]),
  unknownType: await bySocket([INIT, '{"type":"start"}']),
  binary: await bySocket([Buffer.from(INIT)]),
  subscribedTooEarly: await bySocket([SUBSCRIBE]),
  initTwice: await bySocket([INIT, INIT]),
  noProtocol: await bySocket([INIT], []),
  silence: await bySocket([]),
};
console.log(JSON.stringify(told));
