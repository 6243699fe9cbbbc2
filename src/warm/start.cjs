/** Runs the process that waits for commands: out of build/warm.js alone, since what waits is to be what was built. See ../cli/start.cjs. */
'use strict'
const path = require('node:path')
const { launch, root } = require('../cli/start.cjs')

launch(path.join(root, 'build/warm.js'), () => process.exit(0))
