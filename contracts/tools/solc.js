#!/usr/bin/env node
// The compiler as forge calls it (--version, --standard-json), over npm's WebAssembly build of solc.
'use strict';
const fs = require('fs');
const path = require('path');

const solc = require(path.join(__dirname, '..', 'node_modules', 'solc'));
if (!process.argv.includes('--standard-json')) {
  process.stderr.write('solc.js: only --version and --standard-json are supported\n');
  process.exit(1);
}
process.stdout.write(solc.compile(fs.readFileSync(0, 'utf8')));
