package longhorn

// space says which blocks of a volume are free.
type space struct {
	used []bool
	free int64
	next uint32
	// Taken since the last commit: no written table refers to them, they may be overwritten.
	fresh map[uint32]bool
	// Given up since the last commit: the written table still refers to them.
	leaving []uint32
	// Whether a point of the volume that is held refers to a block, nil while there is none. Such blocks are kept apart when
	// they leave.
	pinned func(uint32) bool
	parked []uint32
}

func newSpace(count, reserved int64, entries map[uint64]*entry) *space {
	s := &space{used: make([]bool, count), free: count, fresh: map[uint32]bool{}}
	take := func(block uint32) {
		if !s.used[block] {
			s.used[block] = true
			s.free--
		}
	}
	for block := range reserved {
		take(uint32(block))
	}
	for _, one := range entries {
		for _, block := range one.Blocks {
			if block != 0 {
				take(block)
			}
		}
	}
	return s
}

func (s *space) left() int64 { return s.free }

// replace gives the block to write what was in `old` (0: nothing) with its change: old itself when it may be overwritten.
func (s *space) replace(old uint32) uint32 {
	if old != 0 && s.fresh[old] {
		return old
	}
	for s.used[s.next] {
		s.next = (s.next + 1) % uint32(len(s.used))
	}
	taken := s.next
	s.used[taken], s.fresh[taken] = true, true
	s.free--
	if old != 0 {
		s.leaving = append(s.leaving, old)
	}
	return taken
}

// release gives blocks up: fresh ones at once, the others with the next commit.
func (s *space) release(blocks []uint32) {
	for _, block := range blocks {
		switch {
		case block == 0:
		case s.fresh[block]:
			delete(s.fresh, block)
			s.used[block] = false
			s.free++
		default:
			s.leaving = append(s.leaving, block)
		}
	}
}

// settle follows a commit.
func (s *space) settle() {
	for _, block := range s.leaving {
		if s.pinned != nil && s.pinned(block) {
			s.parked = append(s.parked, block)
		} else {
			s.giveBack(block)
		}
	}
	s.leaving, s.fresh = nil, map[uint32]bool{}
}

func (s *space) giveBack(blocks ...uint32) {
	for _, block := range blocks {
		s.used[block] = false
		s.free++
	}
}

// unpin follows the end of the last point.
func (s *space) unpin() {
	s.giveBack(s.parked...)
	s.parked, s.pinned = nil, nil
}
