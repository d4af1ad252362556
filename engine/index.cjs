'use strict';
// The engine for those that cannot take ES modules. Test runners such as jest give each test file globals and modules of its
// own; the engine stays outside of them, with the process's own timers and errors, and is loaded once for all files.
// The way out is what `this context` means to `node:vm`: from jest 30.5 on its `process.getBuiltinModule` leads back in.
const { runInThisContext } = require('node:vm');

const { createRequire } = runInThisContext('process').getBuiltinModule('node:module');
module.exports = createRequire(__filename)('../engine/index.js');
