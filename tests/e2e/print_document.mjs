// The document that comes in, as graphql-js prints it: what its clients compute their hashes of.
import { readFileSync } from "node:fs";
import { parse, print } from "graphql";

process.stdout.write(print(parse(readFileSync(process.argv[2], "utf8"))));
