/** The stack as the keeper takes it: its model and the files that were read for it, or why there is none. */
import type { StackRead } from '../../api/keeper.ts'
import { messageOf } from '../../lib/failure.ts'
import { freeze } from '../../model/frozen.ts'
import { command } from '../command.ts'
import { loadProject } from '../project.ts'

export const engineReadStack = command({
  usage: '[OPTIONS]',
  about: 'Not for people: the keeper runs it when the files of a stack that it watches have changed.',
  words: [0, 0],
  options: {},
  examples: [['tscompose -f compose.yaml engine read-stack', 'what the keeper reads, as JSON']],
  async run(call) {
    const read = new Set<string>()
    const said = async (): Promise<StackRead> => {
      try {
        const { project } = await loadProject(call, { making: { services: 'all' }, onRead: path => read.add(path) })
        return { files: [...read], project: freeze(project) }
      } catch (error) {
        return { files: [...read], error: messageOf(error) }
      }
    }
    call.screen.print(JSON.stringify(await said()))
  },
})
