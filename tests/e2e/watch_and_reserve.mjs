// An outside client of the public API: graphql-ws over a WebSocket, as a shop's own screen would use
// it. Queries a level, watches it, reserves a unit and prints what it saw as one line of JSON.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token, sku, warehouse, id] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
});

async function first(query, variables) {
  for await (const answer of client.iterate({ query, variables })) return answer.data;
  throw new Error("no answer");
}

const LEVEL = `query ($sku: String!, $warehouse: String!) {
  stockLevel(sku: $sku, warehouse: $warehouse, consistency: STRONG) { available seq }
}`;
const RESERVE = `mutation ($input: ReserveStockInput!) {
  reserveStock(input: $input) {
    __typename
    ... on Reservation { id state lines { sku warehouse quantity seq availableAfter } }
    ... on Refusal { code message }
  }
}`;
const CHANGES = `subscription ($sku: String!) {
  stockChanged(filter: { skus: [$sku] }) { sku { code } available reserved seq }
}`;

const { stockLevel } = await first(LEVEL, { sku, warehouse });
const seen = [];
let reservation;
for await (const { data } of client.iterate({ query: CHANGES, variables: { sku } })) {
  seen.push(data.stockChanged);
  if (seen.length > 1) break;
  const input = { id, lines: [{ sku, warehouse, quantity: 1 }] };
  reservation = (await first(RESERVE, { input })).reserveStock;
}
console.log(JSON.stringify({ stockLevel, reservation, seen }));
await client.dispose();
