/** The floor in a process of its own, which `runFloor` starts as peers are started: one with nothing else in its memory. */
import { measureFloor, type FloorOptions } from './floor.js';

process.once('message', (options: FloorOptions) => {
  void measureFloor(options).then((floor) => {
    process.send?.(floor, () => {
      process.disconnect();
    });
  });
});
// Done, or whoever started it has gone.
process.on('disconnect', () => process.exit());
