/** Runs the engine: out of build/engine.js, where a package has it, or from its sources. See ../cli/start.cjs. */
'use strict'
const path = require('node:path')
const { launch, root } = require('../cli/start.cjs')

launch(path.join(root, 'build/engine.js'), () => import('./main.ts'))
