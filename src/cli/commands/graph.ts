/** Who needs whom, for other tools to draw. */

import { draw, drawFormats } from '../../graph/draw.ts'
import { serviceGraph } from '../../graph/services.ts'
import { command } from '../command.ts'
import { loadProject } from '../project.ts'

export const graph = command({
  usage: '[OPTIONS]',
  options: {
    format: { kind: 'text', value: 'FORMAT', choices: drawFormats, about: 'mermaid (default), dot for Graphviz, json' },
  },
  examples: [['tscompose graph --format dot | dot -Tsvg > stack.svg', 'a picture']],
  async run(call) {
    const { project } = await loadProject(call)
    const format = drawFormats.find(each => each === call.options.format) ?? 'mermaid'
    call.screen.stdout.write(draw(serviceGraph(project), format))
  },
})
