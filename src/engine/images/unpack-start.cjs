/** Runs the thread that unpacks: out of build/unpack-thread.js, where a package has it, or from its sources. See ../../cli/start.cjs. */
'use strict'
const path = require('node:path')
const { launch, root } = require('../../cli/start.cjs')

launch(path.join(root, 'build/unpack-thread.js'), () => import('./unpack-thread.ts'))
