package driver

import (
	"os"
	"runtime"
	"runtime/pprof"
)

// profile begins the profiles that are asked for, and returns what writes them.
func (o *Options) profile() (stop func() error, err error) {
	if o.AllocProfile != "" {
		runtime.MemProfileRate = 1 // the warm-up's are in it as well: they are few
	}
	if o.CPUProfile == "" {
		return o.writeAllocations, nil
	}
	f, err := os.Create(o.CPUProfile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			return err
		}
		return o.writeAllocations()
	}, nil
}

func (o *Options) writeAllocations() error {
	if o.AllocProfile == "" {
		return nil
	}
	f, err := os.Create(o.AllocProfile)
	if err != nil {
		return err
	}
	runtime.GC() // the profile is as of the last collection but one
	runtime.GC()
	if err := pprof.Lookup("allocs").WriteTo(f, 0); err != nil {
		return err
	}
	return f.Close()
}
