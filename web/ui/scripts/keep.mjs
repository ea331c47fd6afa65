// The build empties dist/; the server embeds the folder, so it must exist in a
// fresh clone too. This puts its one committed file back.
import { writeFileSync } from 'node:fs';
writeFileSync(new URL('../dist/.gitkeep', import.meta.url), '');
