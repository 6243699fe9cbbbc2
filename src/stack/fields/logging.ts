/** logging: driver and its options; another driver drops the options of the one before. */
import { object, type Shape, text } from '../grammar.ts'
import { mergeMaps } from '../merge.ts'
import { type Node, textAt } from '../tree.ts'
import { textMap } from './forms.ts'

export const logging: Shape = object(
  {
    driver: text('json-file, local, none, …'),
    options: textMap('Options of the driver.', ['number', 'null']),
  },
  'Where the output of the container goes.',
  { merge },
)

function merge(base: Node, over: Node, shape: Shape): Node {
  const [before, after] = [textAt(base, 'driver'), textAt(over, 'driver')]
  if (base.kind !== 'map' || over.kind !== 'map' || (before !== undefined && after !== undefined && before !== after))
    return over
  return mergeMaps(base, over, shape)
}
