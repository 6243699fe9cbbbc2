/** Runs redirect-main.ts: out of build/redirect.js, where a package has it, or from its sources. See ../../cli/start.cjs. */
'use strict'
const path = require('node:path')
const { launch, root } = require('../../cli/start.cjs')

launch(path.join(root, 'build/redirect.js'), () => import('./redirect-main.ts'))
