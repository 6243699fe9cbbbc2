/** The web view as a browser loads it. */
import '@xterm/xterm/css/xterm.css'
import 'uplot/dist/uPlot.min.css'
import './style/tokens.css'
import './style/base.css'
import './style/parts.css'
import './style/stack.css'
import './style/panels.css'
import './style/pictures.css'
import { render } from 'preact'
import type { About } from '../wire.ts'
import { ask } from './ask.ts'
import { onKey } from './keys.ts'
import { onLink } from './navigate.ts'
import { Shell } from './shell.tsx'
import { about, watchBoard } from './store.ts'

document.addEventListener('click', onLink)
document.addEventListener('keydown', onKey)
watchBoard()
ask<About>('/api/about').then(
  told => {
    about.value = told
  },
  // the connection says so
  () => undefined,
)
render(<Shell />, document.getElementById('app')!)
