/** Runs the keeper: out of build/keeper.js, one file that needs a third less memory than its sources, or from those. See ../cli/start.cjs. */
'use strict'
const path = require('node:path')
const { launch, root } = require('../cli/start.cjs')

launch(path.join(root, 'build/keeper.js'), () => import('./main.ts'))
