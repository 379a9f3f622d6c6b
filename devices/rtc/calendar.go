package rtc

import "github.com/gov86/gov86/hw"

// A date is a civil date and time of day, UTC.
type date struct{ year, month, day, hour, minute, second int64 }

// civil is the date of a second since 1970-01-01, by the proleptic Gregorian
// calendar. Years are counted from March, so that the leap day is the last.
func civil(t int64) date {
	days, rest := t/86400, t%86400
	if rest < 0 {
		days, rest = days-1, rest+86400
	}
	z := days + 719468 // days since 0000-03-01
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := date{yoe + era*400, mp + 3, doy - (153*mp+2)/5 + 1, rest / 3600, rest / 60 % 60, rest % 60}
	if d.month > 12 {
		d.month -= 12
		d.year++
	}
	return d
}

// unix is the inverse of civil. Fields beyond their range carry over.
func (d date) unix() int64 {
	y, m := d.year, d.month
	if m <= 2 {
		y, m = y-1, m+12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d.day - 1
	days := era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
	return ((days*24+d.hour)*60+d.minute)*60 + d.second
}

func toBCD(v uint8) uint8   { return v/10<<4 | v%10 }
func fromBCD(v uint8) uint8 { return v>>4*10 + v&15 }

// field is a time register as the formats in register B show it.
func (r *RTC) field(i uint8) uint8 {
	t := int64(r.shown() / uint64(hw.Second))
	d := civil(t)
	var v int64
	switch i {
	case seconds:
		v = d.second
	case minutes:
		v = d.minute
	case hours:
		return r.showHour(uint8(d.hour))
	case weekday:
		v = (t/86400+4)%7 + 1 // 1970-01-01 was a Thursday; Sunday is 1
	case day:
		v = d.day
	case month:
		v = d.month
	case year:
		v = d.year % 100
	}
	return r.show(uint8(v))
}

func (r *RTC) show(v uint8) uint8 {
	if r.cmos[regB]&binary == 0 {
		return toBCD(v)
	}
	return v
}

func (r *RTC) showHour(h uint8) uint8 {
	if r.cmos[regB]&hours24 != 0 {
		return r.show(h)
	}
	v := r.show((h+11)%12 + 1)
	if h >= 12 {
		v |= pm
	}
	return v
}

// setField stores a time register.
func (r *RTC) setField(i, v uint8) {
	shown := r.shown()
	d := civil(int64(shown / uint64(hw.Second)))
	afternoon := v&pm != 0
	if i == hours && r.cmos[regB]&hours24 == 0 {
		v &^= pm
	}
	if r.cmos[regB]&binary == 0 || i == Century {
		v = fromBCD(v)
	}
	n := int64(v)
	switch i {
	case seconds:
		d.second = n
	case minutes:
		d.minute = n
	case hours:
		if r.cmos[regB]&hours24 == 0 {
			n %= 12
			if afternoon {
				n += 12
			}
		}
		d.hour = n
	case day:
		d.day = n
	case month:
		d.month = min(max(n, 1), 12)
	case year:
		d.year = d.year/100*100 + n
	case Century:
		d.year = n*100 + d.year%100
	}
	t := max(d.unix(), 0)
	next := uint64(t)*uint64(hw.Second) + shown%uint64(hw.Second)
	if r.held {
		r.frozen = next
	} else {
		r.offset = next - uint64(r.clock.Now())
	}
}
